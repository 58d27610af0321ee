/** The values of one telegram: registers as sent, and the numbers that the rules ask for. */
import { toHex } from '../../src/bytes/hex.ts'
import { scaled } from '../../src/dlms/scale.ts'
import type { Register } from '../../src/reading.ts'
import { SmlList } from '../../src/sml/get-list.ts'
import { SmlTape, TYPE } from '../../src/sml/tape.ts'
import type { RuledCode } from './codes.ts'
import { isSame, SmlShape, textOf } from './shape.ts'
import { readStatus } from './status.ts'

export class SmlValues {
  readonly tape: SmlTape = new SmlTape()
  readonly list: SmlList = new SmlList()
  shape: SmlShape = new SmlShape(this.tape, this.list)
  /** Every value of the telegram, in its order. */
  registers: readonly Register[] = []

  /** Reads the list whose contents are element `contents` of the tape. Throws DATA_BAD_VALUE. */
  read(contents: number): void {
    const { tape, list } = this
    list.read(tape, contents)
    if (!this.shape.fits(tape, list)) this.shape = new SmlShape(tape, list)
    this.readRegisters()
  }

  /** Reads the registers of the list at hand once the tape was moved to its next telegram. */
  readRegisters(): void {
    const registers: Register[] = []
    for (let i = 0; i < this.list.count; i++) registers.push(this.register(i))
    this.registers = registers
  }

  /** Number of the first value with this code, `undefined` if there is none or it is no number. */
  number(code: RuledCode): number | undefined {
    const i = this.shape.entryOf(code)
    const value = i < 0 ? undefined : this.registers[i]!.value
    return typeof value === 'number' ? value : undefined
  }

  /** The list has a value with this code, be it without a number. */
  has(code: RuledCode): boolean {
    return this.shape.entryOf(code) >= 0
  }

  /** The status word that counts, low 32 bits; `undefined` if none was sent. */
  status(): number | undefined {
    for (const i of this.shape.statuses) {
      const status = readStatus(this.tape, this.list.status[i]!)
      if (status !== undefined) return status
    }
    return undefined
  }

  private register(i: number): Register {
    const { tape, list } = this
    const { obis, unit } = this.shape.entries[i]!
    const element = list.value[i]!
    const value = tape.isNumber(element)
      ? numberOf(tape, element, list.scaler[i]!)
      : this.other(i, element)
    const status = list.status[i]!
    if (tape.isNumber(status)) {
      const word = tape.number(status)
      if (Number.isSafeInteger(word)) return { obis, value, unit, status: word }
    }
    const text = this.shape.entries[i]!.text
    return text !== undefined && text.text === value ? text.register : { obis, value, unit }
  }

  private other(i: number, element: number): string | boolean | null {
    const { tape } = this
    const { bytes } = tape
    const [start, end] = [tape.from(element), tape.to(element)]
    switch (tape.type[element]) {
      case TYPE.boolean:
        return bytes[start] !== 0
      case TYPE.octetString: {
        if (start === end) return null
        const entry = this.shape.entries[i]!
        if (entry.text === undefined || !isSame(entry.text.octets, bytes, start, end)) {
          const text = textOf(bytes, start, end)
          const register = { obis: entry.obis, value: text, unit: entry.unit }
          entry.text = { octets: bytes.slice(start, end), text, register }
        }
        return entry.text.text
      }
      default:
        return toHex(bytes, tape.base + tape.at[element]!, end)
    }
  }
}

/** An integer times ten to the power of `scaler`; as decimal text where a double could not hold it. */
export function numberOf(tape: SmlTape, element: number, scaler: number): number | string {
  const raw = tape.number(element)
  if (!Number.isSafeInteger(raw)) return decimalText(tape.big(element), scaler)
  const value = scaled(raw, scaler)
  if (scaler <= 0 ? !Number.isNaN(value) : Number.isSafeInteger(value)) return value
  const exact = Number(`${raw}e${scaler}`)
  return scaler < 0 || Number.isSafeInteger(exact) ? exact : decimalText(BigInt(raw), scaler)
}

/** Decimal digits of `raw` times ten to the power of `scaler`. */
function decimalText(raw: bigint, scaler: number): string {
  if (scaler >= 0) return `${raw}${'0'.repeat(scaler)}`
  const sign = raw < 0n ? '-' : ''
  const digits = (raw < 0n ? -raw : raw).toString().padStart(1 - scaler, '0')
  return `${sign}${digits.slice(0, scaler)}.${digits.slice(scaler)}`
}
