/** What the values of a profile must have to do with each other, so that no file can make the engine unsafe. */
import type { Path } from '../../config-problems.ts'
import type { ChargerProfile, ReadRegister, WriteRegister } from './profile.ts'
import { mostOf } from './registers.ts'

type Contradiction = readonly [at: Path, message: string]

/** Every contradiction in a profile whose parts are right. */
export function contradictions(profile: ChargerProfile): readonly Contradiction[] {
  return [
    ...limitProblems(profile),
    ...deadManProblems(profile),
    ...transportProblems(profile),
    ...writesOf(profile).flatMap(([at, register]) => [...writeProblems(profile, at, register)]),
    ...readsOf(profile).flatMap(([at, register]) => [...readProblems(profile, at, register)]),
  ]
}

/** Every register that is written while regulating, with its place in the file. */
export function writesOf(profile: ChargerProfile): readonly (readonly [Path, WriteRegister])[] {
  const { limit, pause, keepalive, phases, init, before } = profile
  return [
    [['limit', 'write'], limit.write],
    ...limit.also.map((address, i) => [['limit', 'also', i], { ...limit.write, address }] as const),
    ...(pause.kind === 'zero' ? [] : [[['pause', 'write'], pause.write] as const]),
    ...(keepalive.kind === 'token' ? [[['keepalive', 'write'], keepalive.write] as const] : []),
    ...(phases === null ? [] : [[['phases', 'write'], phases.write] as const]),
    ...init.map(({ write }, i) => [['init', i, 'write'], write] as const),
    ...before.map(({ write }, i) => [['before', i, 'write'], write] as const),
  ]
}

/** Every register that is read, with its place in the file. */
export function readsOf(profile: ChargerProfile): readonly (readonly [Path, ReadRegister])[] {
  const { limit, pause, failsafe, require, read } = profile
  const found: [Path, ReadRegister | null | undefined][] = [
    [['limit', 'readback'], limit.readback],
    [['pause', 'read'], pause.kind === 'zero' ? undefined : pause.read],
    [['failsafe', 'timeout', 'read'], failsafe?.timeout.read],
    [['failsafe', 'current', 'read'], failsafe?.current.read],
    ...require.map((one, i): [Path, ReadRegister] => [['require', i, 'read'], one.read]),
    [['read', 'state'], read.state],
    [['read', 'plug'], read.plug],
    ...(read.currents ?? []).map((one, i): [Path, ReadRegister] => [['read', 'currents', i], one]),
    [['read', 'power'], read.power],
    [['read', 'temperature'], read.temperature],
    [['read', 'max'], read.max],
  ]
  return found.flatMap(([at, register]) => (register ? [[at, register] as const] : []))
}

/** The register wears out by being written. */
export function isStored({ stored }: ChargerProfile, address: number): boolean {
  return stored.some(([first, last]) => address >= first && address <= last)
}

function* limitProblems({ limit, pause }: ChargerProfile): Generator<Contradiction> {
  const { min, max, storage, minWriteIntervalS, write } = limit
  if (min > max) yield [['limit', 'min'], `found ${min}, expected at most max, which is ${max}`]
  if (mostOf(write) < max)
    yield [
      ['limit', 'write', 'scale'],
      `found ${write.scale}: the largest value of ${write.type} is then ${mostOf(write)} A, expected at least max, which is ${max}`,
    ]
  if (storage !== 'volatile' && minWriteIntervalS < 10)
    yield [
      ['limit', 'minWriteIntervalS'],
      `found ${minWriteIntervalS}, expected at least 10: storage is ${storage}`,
    ]
  if (pause.kind === 'zero') return
  if (pause.on === pause.off)
    yield [['pause', 'off'], `found ${pause.off}, expected another value than on`]
  const { alsoLimitA } = pause
  if (alsoLimitA !== undefined && alsoLimitA !== 0 && alsoLimitA !== min)
    yield [['pause', 'alsoLimitA'], `found ${alsoLimitA}, expected 0 or min, which is ${min}`]
}

function* deadManProblems(profile: ChargerProfile): Generator<Contradiction> {
  const { deadMan, keepalive, failsafe } = profile
  if (deadMan === 'none') {
    if (keepalive.kind !== 'none')
      yield [['keepalive', 'kind'], `found ${keepalive.kind}, expected none: deadMan is none`]
    if (failsafe !== null)
      yield [['failsafe'], 'found a mapping, expected nothing: deadMan is none']
    return
  }
  if (keepalive.kind === 'none')
    yield [['keepalive', 'kind'], 'found none, expected any, rewrite or token: deadMan is device']
  if (failsafe === null) {
    yield [['failsafe'], 'found nothing, expected timeout and current: deadMan is device']
    return
  }
  const { timeout, current } = failsafe
  for (const [name, { least, most }] of [
    ['timeout', timeout],
    ['current', current],
  ] as const)
    if (least > most)
      yield [['failsafe', name, 'least'], `found ${least}, expected at most most, which is ${most}`]
  if (keepalive.kind === 'token' && keepalive.value === 'timeout' && timeout.read === undefined)
    yield [
      ['failsafe', 'timeout', 'read'],
      'found nothing, expected a register: keepalive writes the time-out again',
    ]
}

function* transportProblems({ transport, read }: ChargerProfile): Generator<Contradiction> {
  const { kinds, serial, maxReadWords } = transport
  if (kinds.includes('rtu') && serial === undefined)
    yield [['transport', 'serial'], 'found nothing, expected baud and format: kinds has rtu']
  for (const [i, { words }] of read.blocks.entries())
    if (words > maxReadWords)
      yield [
        ['read', 'blocks', i, 'words'],
        `found ${words}, expected at most maxReadWords, which is ${maxReadWords}`,
      ]
}

function* writeProblems(
  profile: ChargerProfile,
  at: Path,
  { address, type, fc, words }: WriteRegister,
): Generator<Contradiction> {
  if (type === 'ascii') yield [[...at, 'type'], 'found ascii, expected a number: text is only read']
  if ((type === 'coil') !== (fc === 5))
    yield [[...at, 'fc'], `found ${fc} with type ${type}, expected 5 for a coil and only there`]
  if (words > 1 && fc !== 16)
    yield [[...at, 'fc'], `found ${fc}, expected 16: ${type} takes ${words} registers`]
  // A limit that only exists as a stored register is the user's decision, see `limit.storage`.
  if (at[0] === 'limit' && profile.limit.storage === 'flash') return
  if (type !== 'coil' && isStored(profile, address))
    yield [
      [...at, 'address'],
      `found ${address}, which wears out (stored), expected a register that does not`,
    ]
}

function* readProblems(
  { transport }: ChargerProfile,
  at: Path,
  { words, table, type }: ReadRegister,
): Generator<Contradiction> {
  if (words > transport.maxReadWords)
    yield [
      [...at, 'type'],
      `found ${type}, which takes ${words} registers, expected at most maxReadWords, which is ${transport.maxReadWords}`,
    ]
  if ((type === 'coil') !== (table === 'coil'))
    yield [
      [...at, 'table'],
      `found ${table} with type ${type}, expected both to be coil or neither`,
    ]
}
