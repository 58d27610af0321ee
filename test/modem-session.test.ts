/** The way of a modem to listening, on a clock that only the test moves. */
import t from 'tap'
import type { ModemDialect } from '../src/link/modem/dialect.ts'
import { DIALECTS } from '../src/link/modem/dialects.ts'
import type { LineAction } from '../src/link/modem/exchange.ts'
import type { Report } from '../src/link/modem/hearing.ts'
import { ModemSession, type SessionOptions } from '../src/link/modem/session.ts'
import { fromHex, toHex } from '../src/sim/encode/bytes.ts'
import { encodeLocal, INDICATION, indicationData } from '../src/sim/encode/st7580-encoder.ts'
import { type ModemBehaviour, SimulatedModem } from '../src/sim/st7580-modem.ts'

const OPTIONS: SessionOptions = {
  modem: { layer: 'DL', sniffer: false, check: 'crc16-be', checkCoversLength: false },
  phy: { highHz: 132_500, lowHz: 100_000, dual: false, pskPreamble: 2 },
  hasRequestLine: true,
  hasResetLine: true,
}

/** A session and a modem on one line, with a host that acknowledges as the decoder does. */
class Bench {
  now = 0
  readonly actions: LineAction[] = []
  readonly reports: Report[] = []
  gaveUp = 0
  readonly modem: SimulatedModem
  readonly session: ModemSession
  private readonly dialect: ModemDialect = DIALECTS.st7580({}).create()
  private readonly inbox: Uint8Array[] = []

  constructor(
    options: Partial<SessionOptions> = {},
    behaviour: ModemBehaviour = { needsRequestLine: true },
  ) {
    this.modem = new SimulatedModem(bytes => this.inbox.push(bytes), behaviour)
    this.session = new ModemSession(
      { ...OPTIONS, ...options },
      {
        act: action => this.act(action),
        report: report => this.reports.push(report),
        giveUp: () => {
          this.gaveUp++
        },
      },
    )
  }

  /** Everything that happens until `ms` later, in the order of its time. */
  run(ms: number): void {
    const end = this.now + ms
    for (;;) {
      this.deliver()
      const due = Math.min(
        this.session.wakeAt ?? Number.POSITIVE_INFINITY,
        this.modem.wakeAt ?? Number.POSITIVE_INFINITY,
      )
      if (due > end) break
      this.now = Math.max(this.now, due)
      this.session.wake(this.now)
      this.modem.wake(this.now)
    }
    this.now = end
  }

  start(): this {
    this.session.start(this.now)
    return this
  }

  /** Bytes of the modem's own making. */
  inject(bytes: Uint8Array): void {
    this.inbox.push(bytes)
    this.deliver()
  }

  codes(): string[] {
    return this.reports.map(({ code }) => code)
  }

  private deliver(): void {
    for (let bytes = this.inbox.shift(); bytes !== undefined; bytes = this.inbox.shift())
      for (const event of this.dialect.push(bytes, this.now))
        if (event.type === 'send') this.modem.receive(event.bytes, this.now)
        else this.session.take(event, this.now)
  }

  private act(action: LineAction): void {
    this.actions.push(action)
    if (action.type === 'write') this.modem.receive(action.bytes, this.now)
    else if (action.type === 'request-line') this.modem.requestLine(action.active)
    else this.modem.reset(action.active, this.now)
  }
}

const written = (actions: readonly LineAction[]): string[] =>
  actions.flatMap(a => (a.type === 'write' ? [toHex(a.bytes)] : []))

t.test('reset, configuration in its order, read back, listening', async t => {
  const bench = new Bench().start()
  bench.run(1000)
  t.ok(bench.session.isListening)
  t.same(bench.modem.requests, [0x08, 0x08, 0x08, 0x0c, 0x0c, 0x0c])
  t.same(
    written(bench.actions),
    [
      ['02', '040809ffffff1203'],
      // 132 500 Hz is 020594, 100 000 Hz is 0186a0.
      ['02', '0f08010205940186a00e15000002359b582703'],
      ['02', '020800091300'],
      ['02', '010c000d00'],
      ['02', '010c010e00'],
      ['02', '010c0a1700'],
    ].flat(),
  )
  t.same(
    bench.actions.slice(0, 7),
    [
      { type: 'request-line', active: false },
      { type: 'reset-line', active: true },
      { type: 'reset-line', active: false },
      { type: 'request-line', active: true },
      { type: 'write', bytes: fromHex('02') },
      { type: 'request-line', active: false },
      { type: 'write', bytes: fromHex('040809ffffff1203') },
    ],
    'T_REQ is let go behind the first byte',
  )
  t.same(bench.codes(), ['modem_listening'])
  t.match(
    bench.reports[0]?.detail,
    /132500 Hz, layer DL, crc16-be, firmware 00420097; it never transmits/,
  )
})

t.test('the key is written where the modem itself opens frames, and told nobody', async t => {
  const ssKey = fromHex('404142434445464748494a4b4c4d4e4f')
  const bench = new Bench({ modem: { ...OPTIONS.modem, layer: 'SS' }, ssKey }).start()
  bench.run(1000)
  t.same(bench.modem.objects.get(2), ssKey)
  t.same(bench.modem.objects.get(0), Uint8Array.of(0x0a))
  t.notMatch(JSON.stringify(bench.reports), '40414243')
  const without = new Bench().start()
  without.run(1000)
  t.equal(without.modem.objects.get(2), undefined)
})

t.test('without lines: reset by command, requests at once', async t => {
  const bench = new Bench({ hasRequestLine: false, hasResetLine: false }, {}).start()
  bench.run(1000)
  t.ok(bench.session.isListening)
  t.equal(written(bench.actions)[0], '02003c3c00')
  t.ok(bench.actions.every(({ type }) => type === 'write'))
})

t.test('timeouts of old firmware cannot be written, and need not', async t => {
  const bench = new Bench({}, { needsRequestLine: true, readOnly: [9] }).start()
  bench.run(1000)
  t.ok(bench.session.isListening)
})

t.test('a refused configuration is told, and tried again from the reset', async t => {
  const bench = new Bench({}, { needsRequestLine: true, readOnly: [1] }).start()
  bench.run(60_000)
  t.same(bench.codes(), ['modem_silent', 'modem_silent', 'modem_silent'])
  t.match(bench.reports[0]?.detail, /PHY configuration: refused: wrong value/)
  t.equal(bench.gaveUp, 1, 'after three resets the port is opened again')
  t.equal(bench.session.wakeAt, undefined)
})

t.test('a modem that forgets what was written', async t => {
  const bench = new Bench().start()
  const { objects } = bench.modem
  const set = objects.set.bind(objects)
  objects.set = (index, value) => (index === 0 ? objects : set(index, value))
  bench.run(10_000)
  t.match(bench.reports[0]?.detail, /modem configuration is 11, 09 was written/)
})

t.test('a dead modem: five seconds each, three times', async t => {
  const bench = new Bench({}, { dead: true }).start()
  bench.run(5199)
  t.same(bench.codes(), [])
  bench.run(1)
  t.match(bench.reports[0], { code: 'modem_silent', detail: /no reset indication/ })
  bench.run(20_000)
  t.equal(bench.gaveUp, 1)
  const deaf = new Bench({ hasResetLine: false }, { dead: true, needsRequestLine: true }).start()
  deaf.run(20_000)
  t.match(deaf.reports[0]?.detail, /no status after three attempts/)
  t.equal(deaf.gaveUp, 1)
  t.same(deaf.actions.at(-1), { type: 'request-line', active: false }, 'T_REQ is let go')
})

t.test('a busy modem is asked again, one that stays busy is reset', async t => {
  const bench = new Bench().start()
  bench.modem.busy = 'receiving'
  bench.run(1000)
  t.notOk(bench.session.isListening)
  bench.modem.busy = 'idle'
  bench.run(1000)
  t.ok(bench.session.isListening)
  const stuck = new Bench().start()
  stuck.modem.busy = 'receiving'
  stuck.run(6000)
  t.match(stuck.reports[0]?.detail, /no end of busy/)
})

t.test('an ACK that does not come, a NAK: the request is sent again, three times', async t => {
  const bench = new Bench({ hasRequestLine: false, hasResetLine: false }, { dead: true }).start()
  bench.run(50)
  bench.inject(fromHex('15'))
  bench.run(20)
  t.same(written(bench.actions), ['02003c3c00', '02003c3c00'], 'after the NAK')
  bench.run(220)
  t.equal(written(bench.actions).length, 3, 'after silence')
  bench.run(200)
  t.match(bench.reports[0]?.detail, /no ACK after three attempts/)
  const late = new Bench({ hasRequestLine: false, hasResetLine: false }, { dead: true }).start()
  late.inject(fromHex('06'))
  late.run(3999)
  t.same(late.codes(), [])
  late.run(12_100)
  t.match(late.reports[0]?.detail, /no ACK|no confirm/)
})

t.test('a confirm proves that the request arrived, whatever became of the ACK', async t => {
  const bench = new Bench({ hasRequestLine: false, hasResetLine: false }, { dead: true }).start()
  bench.inject(encodeLocal(0x3d, [0]))
  bench.inject(encodeLocal(0x3e, [0x3e]))
  t.equal(written(bench.actions)[1], '02040809ffffff1203'.slice(0, 18), 'configuring')
})

t.test('data units arrive in between and disturb nothing', async t => {
  const bench = new Bench().start()
  bench.run(210)
  bench.modem.indicate(fromHex('aabb'), bench.now)
  bench.run(1000)
  t.ok(bench.session.isListening)
  t.ok(bench.modem.acknowledged > 7)
  t.equal(bench.modem.repeated, 0)
})

t.test('a modem that restarts by itself gets back what it lost, no more', async t => {
  const bench = new Bench().start()
  bench.run(1000)
  bench.modem.requests.length = 0
  bench.inject(encodeLocal(0x3e, [0x01]))
  bench.run(1000)
  t.same(bench.modem.requests, [0x08, 0x0c, 0x0c, 0x0c], 'restored: timeouts alone')
  t.match(bench.reports.at(-2), { code: 'modem_restarted', detail: /cause 1/ })
  bench.modem.requests.length = 0
  bench.inject(encodeLocal(0x3e, [0x11]))
  bench.run(1000)
  t.same(bench.modem.requests, [0x08, 0x08, 0x0c, 0x0c, 0x0c], 'and the PHY configuration')
  t.ok(bench.session.isListening)
})

t.test('an old reset indication while RESETN is low means nothing', async t => {
  const bench = new Bench().start()
  bench.inject(encodeLocal(0x3e, [0x3c]))
  bench.run(100)
  t.equal(bench.modem.requests.length, 0)
  bench.run(1000)
  t.ok(bench.session.isListening)
})

t.test('counters are read every minute: noise without frames, silence, and meters', async t => {
  const bench = new Bench().start()
  bench.run(1000)
  const minute = () => bench.run(60_000)
  minute()
  t.same(bench.modem.requests.slice(6), [0x0c, 0x0c])
  for (let i = 0; i < 5; i++) bench.modem.hear()
  minute()
  t.match(bench.reports.at(-1), { code: 'modem_hears_noise', detail: /5 beginnings.*PHY 5 0/ })
  for (let i = 0; i < 9; i++) bench.modem.hear()
  minute()
  t.equal(bench.reports.length, 2, 'told once')
  bench.modem.indicate(fromHex('aa'), bench.now)
  minute()
  for (let i = 0; i < 5; i++) bench.modem.hear()
  minute()
  t.match(bench.reports.at(-1), { code: 'modem_hears_noise' }, 'again after frames were right')
  const quiet = new Bench().start()
  quiet.run(21 * 60_000)
  t.same(quiet.codes(), ['modem_listening'])
  quiet.run(60_000)
  t.match(quiet.reports.at(-1), { code: 'modem_hears_nothing', detail: /20 minutes/ })
  quiet.run(60 * 60_000)
  t.equal(quiet.reports.length, 2)
})

t.test('a listening modem that stops answering is reset', async t => {
  const bench = new Bench({ hasRequestLine: false }, {}).start()
  bench.run(1000)
  bench.modem.receive = () => {}
  bench.run(62_000)
  t.match(bench.reports.at(-1), { code: 'modem_silent', detail: /no ACK after three attempts/ })
  const resets = bench.actions.filter(a => a.type === 'reset-line' && a.active)
  t.ok(resets.length >= 2, 'the first, and this one')
})

t.test('sniffed damage is no data unit', async t => {
  const bench = new Bench().start()
  bench.run(1000)
  bench.inject(encodeLocal(INDICATION.dlSniffed, indicationData(fromHex('aabb'))))
  bench.run(60_000)
  for (let i = 0; i < 5; i++) bench.modem.hear()
  bench.run(60_000)
  t.equal(bench.reports.at(-1)?.code, 'modem_hears_noise')
})
