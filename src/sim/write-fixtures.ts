/**
 * Writes the generated recordings: `node dist/src/sim/write-fixtures.js [FOLDER]`, by default into `fixtures` of the
 * current directory, a folder for each generator. The same source gives the same files.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GENERATORS } from './fixtures/generators.ts'

const root = process.argv[2] ?? 'fixtures'
for (const [name, generate] of Object.entries(GENERATORS)) {
  const folder = join(root, name)
  mkdirSync(folder, { recursive: true })
  const files = generate()
  for (const { name, content } of files) writeFileSync(join(folder, name), content)
  process.stdout.write(`${files.length} files written to ${folder}\n`)
}
