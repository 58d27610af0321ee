/** The package's own interface, as a wallbox maker uses it. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import * as ampacity from '../src/index.ts'
import { bytesOfHex } from './captures.ts'
import { memoryLog, PushSource } from './io-fakes.ts'

t.test('few names, and they work together', async t => {
  t.ok(Object.keys(ampacity).length < 40)
  const limits: number[] = []
  const source = new PushSource()
  const agent = ampacity.createAgent({
    parameters: ampacity.controlParameters({ installation: { mainFuseA: 25 } }),
    meters: [{ source, definition: ampacity.auto, options: {} }],
    outputs: [],
    clock: ampacity.systemClock,
    log: memoryLog(),
    onDecision: command => limits.push(command.limitA),
  })
  const stop = new AbortController()
  const running = agent.run(stop.signal)
  const file = new URL('../fixtures/norway/kamstrup-6841131-10s.constructed.hex', import.meta.url)
  const bytes = bytesOfHex(readFileSync(fileURLToPath(file), 'utf8'))
  source.push(bytes, ampacity.systemClock.now())
  await new Promise(resolve => setTimeout(resolve, 5))
  source.push(bytes, ampacity.systemClock.now())
  t.ok(limits.at(-1)! >= 6, 'the second telegram lets charging begin')
  t.equal(agent.status().meters[0]?.readings, 2)
  stop.abort()
  await running
})
