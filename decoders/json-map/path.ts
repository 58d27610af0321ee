/** Paths into JSON: `emeters[0].power`, `data.0.value`, `$.total`, `["a.b"].c`. */

/** Keys and indices from the root to a value. */
export type JsonPath = readonly (string | number)[]

const STEP = /^(?:\.?([A-Za-z_$][\w$-]*|\d+)|\[(\d+)\]|\[(["'])(.*?)\3\])/

/** The path in a text; `undefined` if there is none in it. */
export function parsePath(text: string): JsonPath | undefined {
  const path: (string | number)[] = []
  let rest = text.replace(/^\$\.?/, '')
  while (rest !== '') {
    const found = STEP.exec(rest)
    if (found === null) return undefined
    const [whole, name, index, , quoted] = found
    path.push(index !== undefined ? Number(index) : (name ?? quoted ?? ''))
    rest = rest.slice(whole.length)
  }
  return path.length > 0 ? path : undefined
}

/** The value at a path; `undefined` where there is none. */
export function valueAt(root: unknown, path: JsonPath): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as { [key: string | number]: unknown })[step]
  }
  return value
}
