import { join } from 'node:path'
import t from 'tap'
import { loadConfig, parseConfig } from '../src/config.ts'
import { controlParameters } from '../src/control/parameters.ts'

const WHOLE = `
device: {id: home}
installation: {phases: 3, grid: TN, mainFuseA: [25, 25, 20], device: MCB-C, voltageV: 230, production: true, contractedPowerW: 11000, unbalanceA: 20, phaseOrder: 3-2-1, timezone: Europe/Oslo}
meter:
  decoder: no-aidon
  source: {serial: /dev/serial/by-id/usb-FTDI, baud: 2400, format: auto}
  latencyS: 1.5
  cadenceS: 10
  reportsChanges: false
  options: {repair: crlf}
chargePoint: {phases: 3, lines: [1, 2, 3], minA: 6, maxA: 16, stepA: 0.1, metered: true, derateFromC: 55, derateToC: 70, pauseAboveC: 75, resumeBelowC: 60}
control: {failsafeA: 6, validForS: 30, deadBandA: 0.5, pulseS: 30, peakTargetW: 5000, peakWindowS: 3600, stepReserve: auto, probeS: 40, hiddenW: 2600, limiterFactor: 1.16, limiterBandS: 10200}
outputs:
  - {id: vendor, type: file, path: /run/ampacity/limit.json}
mqtt: {url: 'mqtt://broker.lan:1883', base: ampacity/home, passwordFile: /etc/ampacity/mqtt}
log: {level: warn}
`

await t.test('a whole file', async t => {
  const parsed = parseConfig(WHOLE)
  t.ok(parsed.ok)
  if (!parsed.ok) return
  t.match(parsed.value, { meter: { options: { repair: 'crlf' } }, log: { level: 'warn' } })
  t.match(controlParameters(parsed.value), {
    fuseMa: [25_000, 25_000, 20_000],
    production: true,
    phaseOrder: '3-2-1',
    failsafeMa: 6000,
  })
})

await t.test('nothing is needed, and JSON will do', async t => {
  for (const text of ['', '# only a comment\n', 'mqtt:\nlog:\n', '{}', '{"device":{"id":"x"}}'])
    t.ok(parseConfig(text).ok, JSON.stringify(text))
})

const wrong: [text: string, path: string, message: RegExp][] = [
  [
    'chargePoint: {maxA: abc}',
    'chargePoint.maxA',
    /line 1: found 'abc', expected a number of amperes from 6 to 80/,
  ],
  [
    'chargePoint: {maxA: 5}',
    'chargePoint.maxA',
    /found 5, expected a number of amperes from 6 to 80/,
  ],
  [
    'installation:\n  mainFuseA: "25"',
    'installation.mainFuseA',
    /line 2: found '25', expected a number of amperes .* or a list/,
  ],
  [
    'installation: {mainFuseA: 3}',
    'installation.mainFuseA',
    /found 3, expected a number of amperes from 6 to 125/,
  ],
  ['installation: {mainFuseA: [25, 25]}', 'installation.mainFuseA', /found 2 ratings for 3 lines/],
  ['installation: {phases: 2}', 'installation.phases', /found 2, expected 1 or 3/],
  ['installation: {grid: TT}', 'installation.grid', /found 'TT', expected one of TN, IT, auto/],
  ['installation: {device: B16}', 'installation.device', /found 'B16', expected one of gG, MCB-B/],
  [
    'installation: {timezone: Oslo}',
    'installation.timezone',
    /found 'Oslo', expected a time zone such as/,
  ],
  [
    'installation: {phases: 1}\nchargePoint: {phases: 3}',
    'chargePoint.phases',
    /line 2: .*has one phase/,
  ],
  [
    'installation: {phases: 1}\nchargePoint: {lines: [2]}',
    'chargePoint.lines',
    /found line 2, expected 1 to 1/,
  ],
  ['chargePoint: {minA: 20, maxA: 16}', 'chargePoint.minA', /at most maxA, which is 16/],
  [
    'control: {failsafeA: 3}',
    'control.failsafeA',
    /found 3, expected 0 \(pause\) or .* from 6 to 32/,
  ],
  ['control: {resendS: 20}', 'control.resendS', /at most 15, half of validForS/],
  ['control: {resume0S: 700}', 'control.resume0S', /at most resumeMaxS/],
  ['control: {margin: 1}', 'control.margin', /unknown key; did you mean marginA\?/],
  ['installation: {main_fuse_a: 20}', 'installation.main_fuse_a', /did you mean mainFuseA\?/],
  ['mainFuseA: 20', 'mainFuseA', /did you mean installation.mainFuseA\?/],
  ['outputs: [{id: a, type: file, pth: x, path: y}]', 'outputs.0.pth', /did you mean path\?/],
  ['log: {colour: red}', 'log.colour', /unknown key, expected one of level/],
  ['outputs: [{id: a, type: fax, path: x}]', 'outputs.0.type', /found 'fax', expected one of file/],
  [
    'outputs: [{id: a, type: file}]',
    'outputs.0.path',
    /found nothing, expected the path of a file/,
  ],
  ['outputs: {id: a}', 'outputs', /found a mapping, expected a list of outputs/],
  [
    'outputs: [{id: a, type: file, path: x}, {id: a, type: file, path: y}]',
    'outputs.1.id',
    /found 'a' a second time/,
  ],
  [
    'meter: {source: {serial: a, tcp: "b:1"}}',
    'meter.source',
    /found serial and tcp, expected one of/,
  ],
  [
    'meter: {source: {}}',
    'meter.source',
    /found none, expected one of serial, tcp, listen, modem, chain2gate, sinapsi, mqtt, http, file, stdin/,
  ],
  ['meter: {source: {tcp: meter}}', 'meter.source.tcp', /found 'meter', expected host:port/],
  [
    'meter: {source: {file: x, baud: 2400}}',
    'meter.source.baud',
    /found 2400, expected it with serial only/,
  ],
  [
    'meter: {source: {serial: x, baud: 10}}',
    'meter.source.baud',
    /found 10, expected a whole number of bits/,
  ],
  ['mqtt: {}', 'mqtt.url', /found nothing, expected mqtt:\/\//],
  ['mqtt: {url: "mqtt://me:secret@broker"}', 'mqtt.url', /user and password are files/],
  ['mqtt: {url: "mqtt://b", password: x}', 'mqtt.password', /unknown key/],
  ['mqtt: {url: "mqtt://b", base: "a/#"}', 'mqtt.base', /a topic without wildcards/],
  ['device: {id: My Home}', 'device.id', /found 'My Home', expected a name of 1 to 32/],
  ['device: home', 'device', /found 'home', expected a mapping with id/],
  [
    '- a\n- b',
    'configuration',
    /found the list \["a","b"\], expected a mapping with device, installation/,
  ],
  ['log: {level: 3', 'configuration', /line 1: /],
  ['log: {level: info}\nlog: {level: warn}', 'configuration', /line 2: .*unique/],
]
for (const [text, path, message] of wrong) {
  await t.test(`${JSON.stringify(text)}`, async t => {
    const parsed = parseConfig(text)
    t.notOk(parsed.ok)
    if (!parsed.ok) t.match(parsed.problems, [{ path, message }])
  })
}

await t.test('every problem at once, also between parts that are right', async t => {
  const parsed = parseConfig(
    'installation: {mainFuseA: x, phases: 1}\nlog: {level: loud}\nchargePoint: {phases: 3}\nzone: 1\noutputs: [{id: 1}, {id: 2, type: file}]',
  )
  t.notOk(parsed.ok)
  if (parsed.ok) return
  t.strictSame(parsed.problems.map(p => p.path).sort(), [
    'chargePoint.phases',
    'installation.mainFuseA',
    'log.level',
    'outputs.0.id',
    'outputs.0.type',
    'outputs.1.id',
    'outputs.1.path',
    'zone',
  ])
})

await t.test('settings go over the file', async t => {
  const settings = [
    'installation.mainFuseA=20',
    'outputs.0.path=/tmp/x',
    'meter.source.serial=/dev/ttyUSB0',
    'control.failsafeA=0',
  ]
  const parsed = parseConfig(WHOLE, settings)
  t.ok(parsed.ok)
  if (parsed.ok)
    t.match(parsed.value, {
      installation: { mainFuseA: 20, grid: 'TN' },
      outputs: [{ id: 'vendor', path: '/tmp/x' }],
      meter: { source: { serial: '/dev/ttyUSB0' } },
    })
  const alone = parseConfig('', [
    'installation.mainFuseA=[20, 20, 16]',
    'outputs.0={id: a, type: file, path: b}',
  ])
  t.match(alone, {
    ok: true,
    value: { installation: { mainFuseA: [20, 20, 16] }, outputs: [{ id: 'a' }] },
  })
  const faults: [setting: string, path: string, message: RegExp][] = [
    ['mainFuseA', '--set', /expected path=value/],
    ['log.level=[', '--set', /cannot be applied/],
    ['log.level.more=1', '--set', /cannot be applied/],
    ['installation.mainFuseA=abc', 'installation.mainFuseA', /^found 'abc'/],
  ]
  for (const [setting, path, message] of faults)
    t.match(parseConfig(WHOLE, [setting]), { ok: false, problems: [{ path, message }] }, setting)
})

await t.test('files', async t => {
  const dir = t.testdir({
    'good.yaml': WHOLE,
    'bad.yaml': 'log: {level: loud}\ncontrol: {failsafeA: 3}',
  })
  t.match(await loadConfig(join(dir, 'good.yaml')), { device: { id: 'home' } })
  t.match(await loadConfig(undefined, ['device.id=x']), { device: { id: 'x' } })
  t.strictSame(await loadConfig(undefined), {})
  await t.rejects(loadConfig(join(dir, 'none.yaml')), { code: 'FILE_UNREADABLE' })
  await t.rejects(loadConfig(join(dir, 'bad.yaml')), {
    code: 'CONFIG_INVALID',
    message: /bad\.yaml: 2 problems\n {2}log\.level: line 1: .*\n {2}control\.failsafeA: line 2: /,
  })
  await t.rejects(loadConfig(undefined, ['log.level=loud']), { message: /^--set: one problem\n/ })
})
