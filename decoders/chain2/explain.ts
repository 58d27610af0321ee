/** A gateway's JSON byte by byte: each key with its value and what it means. */

import type { Explanation } from '../../src/decoder.ts'
import { isoLocal } from '../../src/dlms/date-time.ts'
import { FRAMES, PERSONAL, quantityOf } from './frames.ts'
import type { CompactFrame } from './message.ts'
import {
  amount,
  gatewayTimeS,
  localIso,
  type PartialDate,
  partialDate,
  posix,
  text,
} from './values.ts'

const UTF8 = new TextDecoder('utf-8')

/** Every byte of one message; each row begins with a key and ends before the next. */
export function explainChain2(telegram: Uint8Array): readonly Explanation[] {
  const keys = keysOf(telegram)
  const first = keys[0]?.at ?? telegram.length
  const rows: Explanation[] =
    first > 0 ? [{ offset: 0, length: first, depth: 0, meaning: 'beginning of the message' }] : []
  keys.forEach(({ at, depth, name, valueAt }, i) => {
    const end = keys[i + 1]?.at ?? telegram.length
    const isPersonal = PERSONAL.has(name.toLowerCase())
    rows.push({
      offset: at,
      length: end - at,
      depth: depth - 1,
      meaning: `${name}: ${meaningOf(name, UTF8.decode(telegram.subarray(valueAt, end)))}`,
      ...(isPersonal ? { isPersonal } : {}),
    })
  })
  return rows
}

/** How far the gateway's clock is behind the meter's, s; `null` where the frame does not tell. */
export function gatewayLagS({ gatewayTime, values }: CompactFrame): number | null {
  const gatewayS = gatewayTimeS(gatewayTime)
  const messageS = posix(values.get('messageposixtimestamp'))
  return gatewayS === null || messageS === null ? null : messageS - gatewayS
}

interface Key {
  readonly at: number
  readonly depth: number
  readonly name: string
  readonly valueAt: number
}

/** Texts followed by a colon, in either kind of quotes. */
function keysOf(bytes: Uint8Array): readonly Key[] {
  const text = Array.from(bytes, byte => String.fromCharCode(byte)).join('')
  const keys: Key[] = []
  const token = /(["'])((?:\\.|(?!\1)[^\\])*)\1(\s*:)?|[{}[\]]/g
  let depth = 0
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [whole, , name, colon] = found
    if (whole === '{' || whole === '[') depth++
    else if (whole === '}' || whole === ']') depth--
    else if (colon !== undefined)
      keys.push({
        at: found.index,
        depth: Math.max(1, depth),
        name: name!.slice(0, 60),
        valueAt: found.index + whole.length,
      })
  }
  return keys
}

function meaningOf(name: string, raw: string): string {
  const key = name.toLowerCase()
  const written = raw.trim().replace(/[,}\]\s]+$/, '')
  const value = written.replace(/^["']|["']$/g, '')
  if (PERSONAL.has(key)) {
    const personal = text(value)
    if (personal === null) return 'not available'
    return key === 'pod' ? `…${personal.slice(-4)}` : 'personal data'
  }
  if (written === '' || written === '{') return 'object'
  if (key === 'type') return `${value}, ${FRAMES[Number(value.replace(/\D/g, ''))] ?? 'unknown'}`
  if (key === 'ts') return `${value}, received by the gateway, UTC`
  if (key.endsWith('posixtimestamp')) return stampOf(value)
  if (key.endsWith('datetime') || key === 'startcontract' || key === 'freezingday')
    return dateOf(partialDate(value))
  const number = Number(value)
  if (value === '' || !Number.isFinite(number)) return text(value) ?? 'not available'
  const quantity = quantityOf(key)
  const unit = quantity?.unit ?? UNITS[key] ?? ''
  const available = amount(name, number) === null ? 'not available' : `${value} ${unit}`.trim()
  return quantity === undefined ? available : `${available}, ${quantity.code.split('*')[0]}`
}

const UNITS: Readonly<Record<string, string>> = {
  contractpower: 'W',
  availablepower: 'W',
  gap: 'W',
  switchoffcountdownseconds: 's',
  outageduration: 's',
}

function stampOf(value: string): string {
  const seconds = posix(Number(value))
  return seconds === null ? 'not available' : `${isoLocal(seconds)}Z`
}

function dateOf(date: PartialDate | null): string {
  if (date === null) return 'not set'
  const iso = localIso(date)
  if (iso !== undefined) return `${iso} local time`
  const part = (value: number | undefined, what: string) => value ?? `every ${what}`
  return `day ${part(date.day, 'day')}, month ${part(date.month, 'month')}, year ${part(date.year, 'year')}`
}
