// What the benchmarks share: the fixtures, the clock, and packages that may be installed or not.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Bytes of hex text with white space and `#` comments. */
export const bytesOfHex = text => Buffer.from(text.replace(/#.*$/gm, '').replace(/\s/g, ''), 'hex')

/** Bytes of a constructed telegram in a folder of `fixtures`. */
export const fixture = (folder, id) =>
  bytesOfHex(readFileSync(join(ROOT, `fixtures/${folder}/${id}.constructed.hex`), 'utf8'))

/** Options with which a constructed telegram is read, its keys among them. */
export function fixtureOptions(folder, id) {
  const { captures } = JSON.parse(readFileSync(join(ROOT, `fixtures/${folder}/index.json`), 'utf8'))
  return captures.find(capture => capture.id === `${id}.constructed`).options ?? {}
}

/** Least time of several rounds, µs a call: what the machine can do when nothing disturbs it. */
export function microseconds(work, { warmUp = 10_000, rounds = 9, calls = 3000 } = {}) {
  for (let i = 0; i < warmUp; i++) work()
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < calls; i++) work()
    least = Math.min(least, Number(process.hrtime.bigint() - start) / (1000 * calls))
  }
  return least
}

/** What a package exports, `undefined` where it is not installed. `variable` may name a folder or file instead. */
export async function optionalPackage(variable, name) {
  try {
    const path = createRequire(import.meta.url).resolve(process.env[variable] ?? name)
    const exported = await import(pathToFileURL(path))
    return exported.default ?? exported
  } catch {
    return undefined
  }
}
