import t from 'tap'
import type { ControlEvent } from '../src/control/model.ts'
import type { SourceEvent } from '../src/io/ports.ts'
import { type FeedOwner, MeterFeed } from '../src/meter-feed.ts'
import { type Spoken, say, spoken } from './daemon-fakes.ts'
import { PushSource, VirtualTime } from './io-fakes.ts'

function setUp() {
  const time = new VirtualTime()
  const source = new PushSource()
  const control: ControlEvent[] = []
  const told: (SourceEvent & { kind: string | undefined })[] = []
  const order: string[] = []
  const owner: FeedOwner = {
    timers: time,
    now: () => time.now(),
    control: event => {
      control.push(event)
      order.push('control')
    },
    reading: () => order.push('reading'),
    report: (event, _now, kind) => told.push({ ...event, kind }),
  }
  const feed = new MeterFeed({ source, definition: spoken, options: undefined }, owner)
  const tell = (what: Spoken) => feed.bytes(say(what), time.now())
  const mayRaise = () => control.flatMap(e => (e.type === 'reading' ? [e.mayRaise] : []))
  return { time, source, control, told, order, feed, tell, mayRaise }
}

await t.test('a reading goes to control before anyone else hears of it', async t => {
  const { control, order, told, source, tell, feed, time } = setUp()
  tell({ a: [1, 2, 3], id: '6970631401753985' })
  t.strictSame(order, ['control', 'reading'])
  t.match(control, [{ type: 'reading', mayRaise: true, reading: { receivedAt: time.now() } }])
  t.match(told, [{ code: 'meter_online', detail: /meter …3985/ }])
  t.notMatch(told[0]!.detail, /6970/, 'the id is masked')
  t.equal(source.accepted, 1)
  t.match(feed.status(), { source: 'meter', decoder: 'spoken', readings: 1, rejected: {} })
})

await t.test('a reading without any checksum never raises', async t => {
  const { tell, mayRaise } = setUp()
  tell({ integrity: 'none' })
  tell({ integrity: 'authenticated' })
  t.strictSame(mayRaise(), [false, true])
})

await t.test(
  'a corrected scale raises from the sixth reading in a row of the same meter',
  async t => {
    const { tell, mayRaise } = setUp()
    const guess = (id: string) => tell({ id, notes: ['scale_corrected', 'trailing_padding'] })
    for (let i = 0; i < 7; i += 1) guess('A')
    tell({ id: 'A', notes: ['trailing_padding'] })
    guess('A')
    for (let i = 0; i < 6; i += 1) guess('B')
    t.strictSame(mayRaise(), [
      ...[false, false, false, false, false, true, true],
      true,
      false,
      ...[false, false, false, false, false, true],
    ])
  },
)

await t.test('another meter on the same port is told', async t => {
  const { tell, told } = setUp()
  tell({ id: '1111AAAA' })
  tell({})
  tell({ id: '2222BBBB' })
  t.match(
    told.map(e => e.code),
    ['meter_online', 'meter_changed'],
  )
  t.match(told[1], { detail: /…BBBB, it was …AAAA/ })
})

await t.test('one timer, set to when the decoder wants to be woken', async t => {
  const { time, feed, told } = setUp()
  feed.bytes(Buffer.from('{"a":'), time.now())
  await time.advance(300)
  feed.bytes(Buffer.from('[1'), time.now())
  t.equal(time.pending, 1)
  await time.advance(399)
  t.strictSame(told, [])
  await time.advance(1)
  t.match(told, [{ code: 'frame_crc_error', detail: /LINK_INCOMPLETE/ }])
  t.equal(time.pending, 0)
  feed.bytes(Buffer.from('{"a":'), time.now())
  feed.stop()
  t.equal(time.pending, 0, 'stopping lets go of it')
})

await t.test('signals, answers and rejections', async t => {
  const { tell, control, source, told, feed } = setUp()
  tell({ availableW: 3300 })
  t.match(control, [{ type: 'signal', signal: { availablePowerW: 3300 } }])
  tell({ send: 'ack' })
  t.strictSame(
    source.sent.map(bytes => Buffer.from(bytes).toString()),
    ['ack'],
  )
  tell({ reject: 'LINK_BAD_CHECKSUM' })
  tell({ reject: 'CIPHER_AUTH_FAILED' })
  tell({ reject: 'LIST_UNKNOWN' })
  tell({ reject: 'LIST_UNKNOWN' })
  t.strictSame(
    told.map(e => [e.code, e.kind]),
    [
      ['frame_crc_error', 'LINK_BAD_CHECKSUM'],
      ['frame_auth_failed', 'CIPHER_AUTH_FAILED'],
      ['frame_rejected', 'LIST_UNKNOWN'],
      ['frame_rejected', 'LIST_UNKNOWN'],
    ],
  )
  t.equal(source.accepted, 3, 'a frame that could not be read was still a good frame')
  t.match(feed.status().rejected, { LIST_UNKNOWN: 2, LINK_BAD_CHECKSUM: 1 })
})

await t.test('the line is looked at once a minute and a finding told once', async t => {
  const { tell, time, feed, told } = setUp()
  const found = () => told.filter(e => e.code === 'key_needed').length
  const minute = async () => {
    await time.advance(60_000)
    tell({ reject: 'CIPHER_KEY_NEEDED' })
    feed.tick(time.now())
  }
  feed.tick(time.now())
  t.equal(found(), 0)
  for (let i = 0; i < 4; i += 1) await minute()
  t.equal(found(), 1)
  for (let i = 0; i < 2; i += 1) {
    tell({})
    tell({})
    tell({})
    tell({})
    await minute()
  }
  await minute()
  t.equal(found(), 1, 'mended: nothing more is said')
  feed.sourceEvent({
    level: 'info',
    code: 'port_opened',
    detail: 'x',
    settings: { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 },
  })
  await time.advance(61_000)
  feed.tick(time.now())
  t.match(told.at(-1), { code: 'no_meter_data', level: 'warn' })
})
