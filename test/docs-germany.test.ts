/** The guide to the German infrared head shows what the program prints, and its configuration is valid. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseConfig } from '../src/config.ts'
import { runCli } from './run-cli.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const GUIDE = readFileSync(`${ROOT}docs/germany-infrared.md`, 'utf8')
const fences = (language: string): string[] =>
  [...GUIDE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(m => m[1]!)

/** Commands and the lines shown below each. */
const shown = fences('').flatMap(fence =>
  fence.split(/^\$ /m).flatMap(part => {
    const [command, ...output] = part.trimEnd().split('\n')
    return command === undefined || command === '' ? [] : [{ command, output }]
  }),
)

t.test('commands print what is shown', async t => {
  // Recordings need a port, and pipes other programs.
  const own = shown.filter(({ command }) => /^ampacity decode [^|]*$/.test(command))
  t.equal(own.length, 5)
  for (const { command, output } of own) {
    const args = command.split(' ').slice(1)
    const { stdout } = await runCli(args.map(a => (a.startsWith('fixtures/') ? ROOT + a : a)))
    const printed = stdout.split('\n').map(line => line.trimEnd())
    let at = 0
    let isLeftOut = false
    for (const line of output) {
      isLeftOut ||= line.trim() === '...'
      if (line.trim() === '...') continue
      const next = printed.indexOf(line.trimEnd(), at)
      t.ok(isLeftOut ? next >= at : next === at, line)
      at = next + 1
      isLeftOut = false
    }
  }
})

t.test('the decisions shown are those of the replay', async t => {
  const replay = shown.find(({ command }) => command.startsWith('ampacity replay'))!
  const args = replay.command.replace(' |', '').split(' ').slice(1)
  const { lines } = await runCli(args.map(a => (a.startsWith('fixtures/') ? ROOT + a : a)))
  t.same(
    lines
      .filter(line => line['type'] === 'decision')
      .map(line => `${line['at_ms']} ${line['limit_a']} ${line['code']}`),
    replay.output.slice(1),
  )
})

t.test('the configuration example is valid', async t => {
  const [example] = fences('yaml')
  const parsed = parseConfig(example!)
  t.ok(parsed.ok, JSON.stringify(parsed))
})
