/** Reads a dictionary that a person wrote: strict, every problem with its path and what would be right. */
import type { Parsed } from '../errors.ts'
import { Checker, joined } from './check.ts'
import type { Dictionary, Field, FrameEntry } from './dictionary.ts'
import { parseField } from './field-parse.ts'

const DICTIONARY_KEYS = ['dictionary', 'version', 'status', 'about', 'frames']
const FRAME_KEYS = ['templateId', 'name', 'length', 'minLength', 'allowTrailing', 'about', 'fields']
const STATUSES = ['unverified', 'vendor-verified'] as const
/** Longest frame. */
const MAX = 2047

/**
 * The dictionary, or every problem in it. Fields of a frame have either all a type or none: with none the frame is only
 * named, and a telegram of it is not decoded.
 */
export function parseDictionary(raw: unknown): Parsed<Dictionary> {
  const checker = new Checker()
  const root = checker.mapping('', raw, DICTIONARY_KEYS)
  const name = checker.text('dictionary', root['dictionary'])
  const version = checker.text('version', root['version'])
  const status = checker.choice('status', root['status'], STATUSES)
  const frames = new Map<number, readonly FrameEntry[]>()
  checker.list('frames', root['frames'], 'frames').forEach((frame, i) => {
    const path = `frames.${i}`
    const entry = parseFrame(checker, path, frame)
    const others = frames.get(entry.templateId) ?? []
    if (others.some(other => other.length === entry.length))
      checker.wrong(
        joined(path, 'templateId'),
        entry.templateId,
        'an id that no other frame of this length has',
      )
    // Entries for one length are looked at before the one for any length.
    frames.set(
      entry.templateId,
      entry.length === undefined ? [...others, entry] : [entry, ...others],
    )
  })
  return checker.result({ name, version, status, frames })
}

function parseFrame(checker: Checker, path: string, raw: unknown): FrameEntry {
  const frame = checker.mapping(path, raw, FRAME_KEYS)
  const at = (key: string): string => joined(path, key)
  const templateId = checker.integer(at('templateId'), frame['templateId'] ?? null, 0, 255, 0)
  const length = frame['length']
  return {
    templateId,
    name: frame['name'] === undefined ? `CF${templateId}` : checker.text(at('name'), frame['name']),
    length: length === undefined ? undefined : checker.integer(at('length'), length, 1, MAX, 1),
    minLength: checker.integer(at('minLength'), frame['minLength'], 0, MAX, 0),
    allowTrailing: checker.flag(at('allowTrailing'), frame['allowTrailing']),
    fields: parseFields(checker, at('fields'), frame['fields'], templateId),
  }
}

function parseFields(
  checker: Checker,
  path: string,
  raw: unknown,
  templateId: number,
): readonly Field[] | undefined {
  const list = checker.list(path, raw, 'fields')
  if (list.length === 0 && Array.isArray(raw)) checker.wrong(path, raw, 'at least one field')
  const fields = list.map((field, i) => parseField(checker, `${path}.${i}`, field))
  checkNames(checker, path, fields)
  const known = fields.filter(({ field }) => field !== undefined)
  if (known.length === 0) return undefined
  const layout: Field[] = []
  fields.forEach(({ field }, i) => {
    if (field === undefined)
      checker.wrong(joined(`${path}.${i}`, 'type'), undefined, 'a type, as the other fields have')
    else layout.push(field)
  })
  checkOrder(checker, path, layout, templateId)
  return layout
}

function checkNames(
  checker: Checker,
  path: string,
  fields: readonly { readonly name: string }[],
): void {
  fields.forEach(({ name }, i) => {
    if (name !== '' && fields.findIndex(other => other.name === name) < i)
      checker.wrong(joined(`${path}.${i}`, 'name'), name, 'a name that no other field has')
  })
}

/** What holds between the fields: optional ones at the end, each target once, the template id first. */
function checkOrder(
  checker: Checker,
  path: string,
  fields: readonly Field[],
  templateId: number,
): void {
  fields.forEach((field, i) => {
    const at = `${path}.${i}`
    if (!field.optional && fields[i - 1]?.optional === true)
      checker.wrong(joined(at, 'optional'), false, 'true, as the field before it is optional')
    const { map } = field
    if (map !== undefined && fields.findIndex(other => other.map === map) < i)
      checker.wrong(joined(at, 'map'), map, 'a target that no other field of the frame has')
  })
  const first = fields[0]?.constant
  if (first !== undefined && (first.length !== 1 || first[0] !== templateId))
    checker.wrong(joined(`${path}.0`, 'const'), first[0], `the template id ${templateId} as u8`)
}
