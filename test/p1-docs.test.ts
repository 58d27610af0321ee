/** What the pages on the P1 port show is what the program prints. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { runCli } from './run-cli.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PAGES = ['p1', 'netherlands', 'belgium', 'luxembourg', 'sweden', 'hungary']

let shown = 0
for (const page of PAGES)
  t.test(`docs/${page}.md`, async t => {
    const text = readFileSync(`${ROOT}docs/${page}.md`, 'utf8')
    for (const [, fence] of text.matchAll(/^```\n(\$ ampacity decode [\s\S]*?)^```/gm)) {
      const [command, ...lines] = fence!.trimEnd().split('\n')
      const args = command!.replace('$ ampacity ', '').split(' ')
      const { stdout } = await runCli(args.map(a => (a.startsWith('fixtures/') ? ROOT + a : a)))
      const printed = stdout.split('\n').map(line => line.trimEnd())
      // Tables are whole, explanations are shortened.
      const isWhole = command!.includes('--format table')
      t.same(lines, isWhole ? printed.slice(0, -1) : printed.filter(line => lines.includes(line)))
      shown++
    }
    for (const [, link] of text.matchAll(/\]\((\w+\.md)\)/g))
      t.ok(existsSync(`${ROOT}docs/${link}`), `link to ${link}`)
    if (page !== 'p1') t.ok(text.split('\n').length <= 61, 'under 60 lines')
  })

t.test('pages show something', async t => {
  t.equal(shown, 7)
})
