/** Our master against a Modbus server that is not ours: pymodbus, where it is installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { systemClock, systemTimers } from '../src/io/clock.ts'
import { ModbusBus } from '../src/io/modbus/bus.ts'
import { ModbusException, tcpLink } from '../src/io/modbus/link.ts'
import { loadProfile } from '../src/io/modbus/profile-files.ts'
import { modbusOutput } from '../src/io/modbus-output.ts'
import { freePort } from './io-broker.ts'
import { command, until } from './io-fakes.ts'

const PYTHON = ['/usr/bin/python3', 'python3'].find(
  path => spawnSync(path, ['-c', 'import pymodbus.datastore']).status === 0,
)
const SKIP = PYTHON === undefined ? 'pymodbus is not installed' : false

/** Every register holds what its address is named with below, and keeps what is written. */
const SERVER = `
import sys
from pymodbus.server import StartTcpServer
from pymodbus.datastore import ModbusSlaveContext, ModbusServerContext, ModbusSparseDataBlock
holding = {299: 16, 337: 0, 1206: 0x4180, 1207: 0, 1208: 0, 1209: 60, 1210: 0, 1211: 0, 1212: 0x40c0, 1213: 0}
inputs = {100: 2, 114: 0, 115: 98, 116: 0, 117: 99, 118: 0, 119: 97, 120: 0, 121: 676}
unit = ModbusSlaveContext(
    hr=ModbusSparseDataBlock(holding), ir=ModbusSparseDataBlock(inputs), zero_mode=True)
StartTcpServer(context=ModbusServerContext(slaves={1: unit}, single=False), address=("127.0.0.1", int(sys.argv[1])))
`

const signal = new AbortController().signal

await t.test('go-e and Alfen registers', { skip: SKIP, timeout: 30_000 }, async t => {
  const dir = t.testdir()
  const script = join(dir, 'server.py')
  writeFileSync(script, SERVER)
  const port = await freePort()
  const server: ChildProcess = spawn(PYTHON!, [script, String(port)], { stdio: 'ignore' })
  t.teardown(() => server.kill())
  let isUp = false
  for (let i = 0; i < 100 && !isUp; i += 1) {
    await new Promise(resolve => setTimeout(resolve, 50))
    isUp = await new Promise(resolve => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      }).on('error', () => resolve(false))
    })
  }
  t.ok(isUp, 'the server is up')

  const probe = await tcpLink('127.0.0.1', port, 'tcp', 1000)(signal)
  t.strictSame(await probe.read(1, 'holding', 299, 1), [16])
  const refused = await probe.read(1, 'holding', 5000, 1).catch((error: unknown) => error)
  t.ok(refused instanceof ModbusException && refused.code === 2)

  const time = { clock: systemClock, timers: systemTimers() }
  const goE = await loadProfile('go-e', '.')
  const bus = new ModbusBus({
    name: 'pymodbus',
    open: tcpLink('127.0.0.1', port, 'tcp', 1000),
    time,
    anewAfterSilence: false,
  })
  const output = modbusOutput({
    id: 'box',
    profile: goE,
    bus,
    failsafeA: 6,
    ownFailSafe: { manage: false, timeoutS: 30 },
    clock: systemClock,
  })
  const codes: string[] = []
  const running = output.run!(({ code }) => codes.push(code), signal)
  t.ok(await until(() => codes.includes('output_connected')))
  await output.apply(command(13.27, { at: systemClock.now() }), signal)
  t.strictSame(await probe.read(1, 'holding', 299, 1), [13])
  t.match(await output.read!(signal), {
    state: 'C',
    offeredA: 13,
    currentA: [9.8, 9.9, 9.7],
    powerW: 6760,
  })
  await output.apply(command(0, { at: systemClock.now() }), signal)
  t.strictSame(await probe.read(1, 'holding', 337, 1), [1])
  await output.close()
  t.strictSame(await probe.read(1, 'holding', 299, 1), [6])
  t.strictSame(await probe.read(1, 'holding', 337, 1), [0])
  await running

  const alfen = await loadProfile('alfen-ng9xx', '.')
  await probe.write(1, 16, {
    fc: 16,
    address: alfen.limit.write.address,
    words: [0x4158, 0],
    afterMs: 0,
  })
  t.strictSame(await probe.read(1, 'holding', 1210, 2), [0x4158, 0], '13.5 A as two registers')
  probe.close()
})
