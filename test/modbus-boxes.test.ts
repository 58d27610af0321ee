/**
 * Every profile over a real line (Modbus TCP, or RTU on a pair of pseudo terminals) against a simulated box: the bytes
 * that leave, what the box then offers, and what is read back.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parseLine } from '../src/commands/sources.ts'
import type { ChargerStatus } from '../src/control/model.ts'
import { systemClock, systemTimers } from '../src/io/clock.ts'
import { ModbusBus } from '../src/io/modbus/bus.ts'
import { serialLink, tcpLink } from '../src/io/modbus/link.ts'
import type { ChargerProfile } from '../src/io/modbus/profile.ts'
import { shippedProfiles } from '../src/io/modbus/profile-files.ts'
import { modbusOutput } from '../src/io/modbus-output.ts'
import type { Output, SourceEvent } from '../src/io/ports.ts'
import { SimulatedBox } from '../src/sim/boxes/modbus-box.ts'
import { serveRtu, serveTcp } from '../src/sim/boxes/serve.ts'
import { command, until } from './io-fakes.ts'
import { Pty, SKIP_PTY } from './io-pty.ts'
import {
  bytesOf,
  crc16,
  fc5,
  fc6,
  fc16,
  rtuFrame,
  rtuFrames,
  tapped,
  tcpFrame,
  tcpFrames,
} from './modbus-wire.ts'

const COMMANDS = [32, 16, 13.27, 6, 5.9, 0] as const
const signal = new AbortController().signal

/** IEEE 754 single precision, most significant register first: 13.2 rounded down to the next number that exists. */
const F = { 32: [0x4200, 0], 16: [0x4180, 0], 13.2: [0x4153, 0x3333], 6: [0x40c0, 0], 0: [0, 0] }

/** For each box what has to leave for each of the commands, from the register tables of the specification. */
const EXPECTED: { readonly [id: string]: { unit: number; frames: readonly string[][] } } = {
  'abb-terra-ac': mA32(1, 0x4100),
  'alfen-ng9xx': {
    unit: 1,
    frames: ([32, 16, 13.2, 6, 0, 0] as const).map(a => [fc16(1210, ...F[a])]),
  },
  'amperfied-connect': six(255, [160, 160, 132, 60, 0, 0], v => [fc16(261, v)]),
  'bender-cc612': six(255, [32, 16, 13, 6, 0, 0], v => [fc16(1000, v)]),
  'evse-wb-din': six(1, [32, 16, 13, 6, 0, 0], v => [fc16(1000, v)]),
  'evse-wb-din-fine': six(1, [3200, 1600, 1327, 600, 0, 0], v => [fc16(1000, v)]),
  'go-e': six(1, [32, 16, 13, 6, 0, 0], v =>
    v === 0 ? [fc16(337, 1)] : [fc16(299, v), fc16(337, 0)],
  ),
  'heidelberg-ec': six(1, [160, 160, 132, 60, 0, 0], v => [v === 0 ? fc6(261, 0) : fc16(261, v)]),
  'innogy-ebox': {
    unit: 1,
    frames: ([32, 16, 13.2, 6, 0, 0] as const).map(a =>
      [1012, 1014, 1016].map(address => fc16(address, ...F[a])),
    ),
  },
  'kathrein-kwb': six(1, [32_000, 16_000, 13_200, 6000, 0, 0], v => [
    fc6(0xa0, 0x8000),
    fc6(0xa2, v),
  ]),
  'keba-p30': six(255, [32_000, 16_000, 13_200, 6000, 0, 0], v =>
    v === 0 ? [fc6(5014, 0), fc6(5004, 6000)] : [fc6(5004, v), fc6(5014, 1)],
  ),
  'keba-p40': six(255, [32_000, 16_000, 13_200, 6000, 0, 0], v => [fc6(5004, v)]),
  'mennekes-compact': {
    unit: 50,
    frames: ([32, 16, 13.2, 6, 0, 0] as const).map(a =>
      a === 0 ? [fc6(0x0d05, 0)] : [fc16(0x0302, ...F[a]), fc6(0x0d05, 1)],
    ),
  },
  'mennekes-hcc3': six(255, [32, 16, 13, 6, 0, 0], v => [fc6(0x0400, v)]),
  'phoenix-charx': six(1, [32, 16, 13, 6, 0, 0], v =>
    v === 0 ? [fc16(1300, 0), fc16(1301, 0)] : [fc16(1301, v), fc16(1300, 1)],
  ),
  'phoenix-em-cp-pp-eth': coil(180, 300, 400, [32, 16, 13, 6, 0, 0]),
  'phoenix-ev-basic': coil(1, 22_000, 20_000, [32, 16, 13, 6, 0, 0]),
  'phoenix-ev-eth': coil(255, 528, 400, [32, 16, 13, 6, 0, 0]),
  'vestel-evc04': six(255, [32, 16, 13, 6, 0, 0], v => [fc6(5004, v)]),
  wallbe: coil(255, 528, 400, [320, 160, 132, 60, 0, 0]),
  'webasto-next': six(255, [32, 16, 13, 6, 0, 0], v => [fc16(5004, v)]),
}

function six(unit: number, values: readonly number[], frames: (value: number) => string[]) {
  return { unit, frames: values.map(frames) }
}

function coil(unit: number, limit: number, release: number, values: readonly number[]) {
  return six(unit, values, v =>
    v === 0 ? [fc5(release, false)] : [fc6(limit, v), fc5(release, true)],
  )
}

function mA32(unit: number, address: number) {
  return six(unit, [32_000, 16_000, 13_200, 6000, 0, 0], v => [fc16(address, v >> 16, v & 0xffff)])
}

/** Frames that the specification prints, transaction numbers left out. */
const PRINTED: { readonly [id: string]: readonly string[] } = {
  'heidelberg-ec': [
    '01 10 01 05 00 01 02 00 A0 B6 BD',
    '01 06 01 05 00 00 98 37',
    '01 04 00 05 00 0E 61 CF',
    '01 03 01 01 00 01 D4 36',
  ],
  'keba-p30': [
    '00 00 00 06 FF 06 13 8C 3E 80',
    '00 00 00 06 FF 06 13 96 00 00',
    '00 00 00 06 FF 06 13 98 17 70',
    '00 00 00 06 FF 06 13 9A 00 3C',
  ],
  'vestel-evc04': ['00 00 00 06 FF 06 17 70 00 01', '00 00 00 06 FF 06 13 8C 00 10'],
  'alfen-ng9xx': ['00 00 00 0B 01 10 04 BA 00 02 04 41 58 00 00'],
  'abb-terra-ac': ['00 00 00 0B 01 10 41 00 00 02 04 00 00 3E 80'],
  'evse-wb-din-fine': ['01 10 03 E8 00 01 02 06 40 80 28'],
  'evse-wb-din': ['01 10 03 E8 00 01 02 00 10 83 B4'],
  'go-e': ['00 00 00 09 01 10 01 2B 00 01 02 00 10'],
}

/** A profile without the waits that are for the sake of real boxes, which other tests hold. */
function hurried(profile: ChargerProfile): ChargerProfile {
  const { transport, pause, limit, read } = profile
  return {
    ...profile,
    transport: { ...transport, minGapMs: transport.kinds.includes('tcp') ? 0 : 10 },
    pause: pause.kind === 'zero' ? pause : { ...pause, settleS: 0 },
    limit: { ...limit, minWriteIntervalS: 0 },
    read: { ...read, everyS: 0 },
  }
}

/** The next look that no command comes between. */
async function look(output: Output): Promise<ChargerStatus | undefined> {
  for (let i = 0; i < 20; i += 1) {
    const status = await output.read!(signal)
    if (status !== undefined) return status
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  return undefined
}

interface Line {
  readonly bus: ModbusBus
  /** What was sent, as frames. */
  readonly frames: () => readonly string[]
  readonly frame: (unit: number, pdu: string) => string
  readonly end: () => Promise<void>
}

function busOf(
  open: ConstructorParameters<typeof ModbusBus>[0]['open'],
  isTcp: boolean,
): ModbusBus {
  const time = { clock: systemClock, timers: systemTimers() }
  return new ModbusBus({ name: 'box', open, time, anewAfterSilence: !isTcp })
}

async function tcpLineTo(box: SimulatedBox, unit: number): Promise<Line> {
  const served = await serveTcp(new Map([[unit, box]]))
  const relay = await tapped(served.port)
  return {
    bus: busOf(tcpLink('127.0.0.1', relay.port, 'tcp', 1500), true),
    frames: () => tcpFrames(relay.sent),
    frame: tcpFrame,
    end: async () => {
      relay.close()
      await served.close()
    },
  }
}

async function serialLineTo(box: SimulatedBox, unit: number): Promise<Line> {
  const pty = new Pty(mkdtempSync(join(tmpdir(), 'ampacity-')))
  await pty.plug()
  const { baud, format } = box.profile.transport.serial!
  const settings = parseLine(format, baud)
  const sent: number[] = []
  const served = await serveRtu(new Map([[unit, box]]), pty.meterEnd, settings, bytes =>
    sent.push(...bytes),
  )
  return {
    bus: busOf(serialLink(pty.agentEnd, settings, 1500), false),
    frames: () => rtuFrames(sent),
    frame: rtuFrame,
    end: async () => {
      await served.close()
      await pty.unplug()
    },
  }
}

const profiles = shippedProfiles()
t.equal(profiles.length, 21)
t.strictSame(Object.keys(EXPECTED).sort(), profiles.map(({ profile }) => profile).sort())

for (const shipped of profiles) {
  const isTcp = shipped.transport.kinds.includes('tcp')
  await t.test(shipped.profile, { skip: isTcp ? false : SKIP_PTY }, async t => {
    const profile = hurried(shipped)
    const { unit, frames: expected } = EXPECTED[profile.profile]!
    const box = new SimulatedBox(profile, () => systemClock.now(), {
      defaultA: 10,
      failsafeA: 16,
      timeoutS: 30,
    })
    const line = await (isTcp ? tcpLineTo(box, unit) : serialLineTo(box, unit))
    const events: SourceEvent[] = []
    const output = modbusOutput({
      id: 'box',
      profile,
      bus: line.bus,
      failsafeA: 6,
      ownFailSafe: { manage: true, timeoutS: 60 },
      clock: systemClock,
    })
    const stop = new AbortController()
    const running = output.run!(event => events.push(event), stop.signal)

    for (const [i, limitA] of COMMANDS.entries()) {
      const before = box.writes.length
      // The first command waits until the box is prepared.
      if (i === 0) t.ok(await until(() => events.some(e => e.code === 'output_connected')))
      await output.apply(command(limitA, { at: systemClock.now() }), signal)
      const written = box.writes.slice(before).map(({ address }) => address)
      const frames = expected[i]!.map(pdu => line.frame(unit, pdu))
      const sent = line.frames().slice(-100)
      const place = sent.lastIndexOf(frames[0]!)
      t.ok(place >= 0, `${limitA} A: ${frames[0]} left`)
      for (const frame of frames)
        t.ok(sent.slice(place).includes(frame), `${limitA} A: ${frame} left`)
      const most = Math.floor((Math.min(limitA, profile.limit.max) + 1e-6) / profile.limit.step)
      const offeredA = limitA < 6 ? 0 : most * profile.limit.step
      t.ok(Math.abs(box.offeredA - offeredA) < 0.001, `${limitA} A: the box offers ${box.offeredA}`)
      t.ok(written.length >= frames.length)

      const status = await look(output)
      const isTold =
        profile.limit.readback !== null && (limitA >= 6 || profile.profile !== 'keba-p30')
      t.equal(status?.state, offeredA > 0 ? 'C' : 'B', `${limitA} A: the state`)
      if (isTold) t.ok(Math.abs(status!.offeredA! - box.offeredA) < 0.01, `${limitA} A: read back`)
      else t.equal(status?.offeredA, null)
      if (profile.read.currents)
        for (const current of status!.currentA!)
          t.ok(Math.abs(current - box.drawnA) <= 1, `${limitA} A: the currents`)
    }

    await output.apply(command(13.5, { at: systemClock.now() }), signal)
    await output.apply(command(16, { at: systemClock.now() }), signal)
    const missing = () => (PRINTED[profile.profile] ?? []).filter(f => !line.frames().includes(f))
    t.ok(await until(() => missing().length === 0, 1500), `as printed: ${missing()}`)
    const codes = events.map(({ code }) => code)
    t.equal(codes.includes('dead_man_none'), profile.deadMan === 'none')
    t.notOk(codes.includes('output_lost'), JSON.stringify(events))

    await output.close()
    t.equal(box.offeredA, 6, 'the safe current is left behind')
    stop.abort()
    await running
    await line.end()
  })
}

t.test('the hand-made checksum is that of the standard', async t => {
  t.equal(crc16(Buffer.from('123456789')), 0x4b37)
  t.equal(rtuFrame(1, fc6(261, 0)), '01 06 01 05 00 00 98 37')
  t.strictSame(bytesOf('0A FF'), [10, 255])
})
