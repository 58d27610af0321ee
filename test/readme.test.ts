/** The README says what is true: its commands run, its outputs and tables are those of the program. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { auto, decoders } from '../decoders/index.ts'
import { parseConfig } from '../src/config.ts'
import { formatSerial } from '../src/decoder.ts'
import { DECODE_ERROR_CODES, ERROR_CODES } from '../src/errors.ts'
import { runCli } from './run-cli.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const README = readFileSync(`${ROOT}README.md`, 'utf8')
const fences = (language: string): string[] =>
  [...README.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(m => m[1]!)

/** Cells of the rows whose first cell is a word in backquotes, below a heading row. */
function table(heading: string): string[][] {
  const start = README.indexOf(heading)
  t.ok(start > 0, `the README has the table ${heading}`)
  return README.slice(start)
    .split('\n\n')[0]!
    .split('\n')
    .slice(2)
    .map(row =>
      row
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map(cell => cell.trim().replaceAll('`', '')),
    )
}

t.test('exactly two commands do everything', async t => {
  t.same(fences('sh'), ['npm ci && npm start\n', 'npm ci && npm test\n'])
  const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))
  t.equal(scripts.test, 'tap')
  t.match(scripts.start, /dist\/src\/cli\.js run$/)
})

t.test('commands print what is shown', async t => {
  const shown = fences('console')
  t.equal(shown.length, 3)
  for (const fence of shown) {
    const [command, ...output] = fence.trimEnd().split('\n')
    const args = command!.replace(/^\$ ampacity /, '').split(' ')
    const { stdout } = await runCli(args.map(a => (a.startsWith('fixtures/') ? ROOT + a : a)))
    const printed = stdout
      .trimEnd()
      .split('\n')
      .map(line => line.trimEnd())
    t.same(printed, output, command ?? 'a command')
  }
})

t.test('the configuration example is valid', async t => {
  const [example] = fences('yaml')
  const parsed = parseConfig(example!)
  t.ok(parsed.ok, JSON.stringify(parsed))
  t.ok(parse(example!).mqtt)
})

t.test('every code is listed with its text, and no other', async t => {
  t.same(table('| code | what it means'), Object.entries(DECODE_ERROR_CODES))
  t.same(
    table('| code | exit |'),
    Object.entries(ERROR_CODES).map(([code, { exit, remedy }]) => [
      code,
      String(exit),
      remedy.replaceAll('`', ''),
    ]),
  )
})

t.test('every decoder is listed', async t => {
  t.same(
    table('| id | meters |'),
    [auto, ...decoders].map(({ id, title, serial = [] }) => [
      id,
      title,
      serial.map(formatSerial).join(', '),
    ]),
  )
})

t.test('every command is listed', async t => {
  const { stdout } = await runCli(['--help'])
  for (const [command] of table('| command | does |'))
    t.match(stdout, `ampacity ${command!.split(' ')[1]}`)
})

t.test('every event code is listed, and no other', async t => {
  const sources = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !name.startsWith('sim'))
    .map(name => readFileSync(`${ROOT}src/${name}`, 'utf8'))
  const used = new Set(
    sources.flatMap(text =>
      [
        ...text.matchAll(
          /(?:code: |\| |[A-Z_]+: |\?\? )'([a-z]+(?:_[a-z]+)+|started|contention)'/g,
        ),
      ].map(m => m[1]!),
    ),
  )
  const events = README.slice(README.indexOf('Events of the agent')).split('\n\n')[0]!
  const listed = [...events.matchAll(/`([a-z_]+)`/g)].map(m => m[1]!)
  t.ok(listed.length > 20)
  for (const code of listed) t.ok(used.has(code), `${code} exists`)
  const notes = /export type Note =([\s\S]*?)\n\n/.exec(
    readFileSync(`${ROOT}src/reading.ts`, 'utf8'),
  )![1]!
  for (const code of used)
    if (!notes.includes(`'${code}'`)) t.ok(listed.includes(code), `${code} is listed`)
})

t.test('every dependency has its reason', async t => {
  const { dependencies } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))
  t.same(
    table('| package | for |')
      .map(([name]) => name)
      .sort(),
    Object.keys(dependencies).sort(),
  )
})
