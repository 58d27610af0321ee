/** Kinds of values that people write in files, each with the error text that says what would be right. */
import { z } from 'zod'

/** A number within bounds; `what` names quantity and unit. */
export function numberFrom(what: string, least: number, most: number): z.ZodNumber {
  const error = `${what} from ${least} to ${most}`
  return z.number({ error }).min(least, { error }).max(most, { error })
}

/** Amperes within bounds. */
export const amperes = (least: number, most: number): z.ZodNumber =>
  numberFrom('a number of amperes', least, most)

/** Seconds within bounds. */
export const seconds = (least: number, most: number): z.ZodNumber =>
  numberFrom('a number of seconds', least, most)

/** Number of phases. */
export const phases: z.ZodUnion<readonly [z.ZodLiteral<1>, z.ZodLiteral<3>]> = z.union(
  [z.literal(1), z.literal(3)],
  { error: '1 or 3' },
)

/** True or false. */
export const yesOrNo: z.ZodBoolean = z.boolean({ error: 'true or false' })

/** A text that is not empty. */
export const text = (what: string): z.ZodString => z.string({ error: what }).min(1, { error: what })

/** One of several words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(
  ...words: Words
): z.ZodEnum<{ [Word in Words[number]]: Word }> {
  return z.enum(words, { error: `one of ${words.join(', ')}` }) as never
}

/** A mapping with these keys and no others. */
export function mapping<Shape extends z.ZodRawShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, { error: `a mapping with ${Object.keys(shape).join(', ')}` })
}

const ID = 'a name of 1 to 32 characters a-z, 0-9, _ or -'

/** What things are called in files, topics and logs. */
export const id: z.ZodString = z.string({ error: ID }).regex(/^[a-z0-9_-]{1,32}$/, { error: ID })
