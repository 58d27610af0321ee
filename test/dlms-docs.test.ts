/** What the pages on pushed DLMS lists show is what the program prints. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { PROFILES } from '../decoders/dlms-push.ts'
import { runCli } from './run-cli.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const GUIDE = 'dlms-push'
const COUNTRIES = ['denmark', 'austria', 'switzerland', 'czechia', 'slovenia-croatia']

const folder = t.testdir()
const read = (page: string): string => readFileSync(`${ROOT}docs/${page}.md`, 'utf8')

/** The block of a language in a page that contains a text, written out under a name. */
function writeBlock(name: string, language: string, text: string): void {
  const blocks = [...read(GUIDE).matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
  const [, , block] = blocks.find(([, l, body]) => l === language && body!.includes(text))!
  writeFileSync(join(folder, name), block!)
}

writeBlock('keys.yaml', 'yaml', 'encryption_key')
writeBlock('meter.json', 'json', 'example-xx')

/** Names of files as the shown command has them, to where they are. */
function placed(arg: string): string {
  if (arg.startsWith('fixtures/')) return ROOT + arg
  return arg === 'keys.yaml' || arg === 'meter.json' ? join(folder, arg) : arg
}

/** Each command that a page shows, with the lines below it. */
function commandsOf(text: string): readonly (readonly string[])[] {
  return [...text.matchAll(/^```\n(\$ ampacity decode [\s\S]*?)^```/gm)].flatMap(([, fence]) =>
    fence!
      .trimEnd()
      .split(/\n(?=\$ )/)
      .map(shownCommand => shownCommand.split('\n')),
  )
}

/** True if a line is as printed; in a table one that ends in … is the beginning of it. */
function isShown(line: string, printed: string | undefined): boolean {
  return line === printed || (line.endsWith('…') && printed?.startsWith(line.slice(0, -1)) === true)
}

let shown = 0
for (const page of [GUIDE, ...COUNTRIES])
  t.test(`docs/${page}.md`, async t => {
    const text = read(page)
    for (const [command, ...lines] of commandsOf(text)) {
      const { stdout } = await runCli(command!.replace('$ ampacity ', '').split(' ').map(placed))
      const printed = stdout.split('\n').map(line => line.trimEnd())
      // Tables are whole, explanations are shortened.
      const isWhole = command!.includes('--format table')
      const expected = isWhole ? printed.slice(0, -1) : printed.filter(l => lines.includes(l))
      t.equal(lines.length, expected.length, command!)
      for (const [i, line] of lines.entries()) t.ok(isShown(line, expected[i]), line)
      shown++
    }
    for (const [, link] of text.matchAll(/\]\(([\w-]+\.md)\)/g))
      t.ok(existsSync(`${ROOT}docs/${link}`), `link to ${link}`)
    if (page !== GUIDE) t.ok(text.split('\n').length <= 60, 'under 60 lines')
    t.match(text, /not tried on a live meter|Nothing here was tried on a live meter/i)
  })

t.test('every built-in profile stands on a page of its country', async t => {
  const text = COUNTRIES.map(read).join()
  const missing = PROFILES.filter(({ id }) => !text.includes(`\`${id}\``)).map(({ id }) => id)
  // Swedish: read by its own decoder, described in the guide to Norway.
  t.same(missing, ['aidon'])
})

t.test('pages show something', async t => {
  t.equal(shown, 15)
})
