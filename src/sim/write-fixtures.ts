/**
 * Writes the generated recordings: `node dist/src/sim/write-fixtures.js [FOLDER]`, by default into `fixtures/norway`
 * of the current directory. The same source gives the same files.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { norwegianFixtures } from './fixtures/build.ts'

const folder = process.argv[2] ?? join('fixtures', 'norway')
mkdirSync(folder, { recursive: true })
const files = norwegianFixtures()
for (const { name, content } of files) writeFileSync(join(folder, name), content)
process.stdout.write(`${files.length} files written to ${folder}\n`)
