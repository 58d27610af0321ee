/** The holding registers of a simulated Sinapsi Alfa: what the frames that arrived have left there. */
import type { OpenFrame } from './open-meter.ts'

const NONE = 0xffff

/** Where values of frames go: register and number of words. */
const PLACES: Readonly<Record<string, readonly [address: number, words: 1 | 2]>> = {
  InstantPower: [2, 1],
  TotalActEnergy: [5, 2],
  QuartAveragePower: [9, 1],
  InstantProdPower: [12, 1],
  ProdInstantPower: [12, 1],
  TotalProdActEnergy: [15, 2],
  TariffCode: [203, 1],
}

/** Zeros until the first frame of a quarter hour, as after a restart. */
export class AlfaRegisters {
  private readonly words = new Map<number, number>()
  private isWarm = false

  /** Takes a frame that arrived from the meter. */
  take({ cf, payload }: OpenFrame): void {
    if (cf === 1) this.isWarm = true
    if (!this.isWarm) return
    for (const [name, value] of Object.entries(payload)) {
      const place = PLACES[name]
      if (place !== undefined && typeof value === 'number') this.put(...place, value)
    }
    if (cf !== 22) return
    this.put(780, 2, Number(payload['EventPosixTimestamp']))
    this.put(782, 1, Number(payload['SwitchOffCountdownSeconds']))
  }

  /** A register's word. */
  read(address: number): number {
    const isWarning = address >= 780 && address <= 782
    return this.words.get(address) ?? (isWarning && this.isWarm ? NONE : 0)
  }

  private put(address: number, words: 1 | 2, value: number): void {
    if (words === 2) this.words.set(address, Math.floor(value / 0x1_0000) & NONE)
    this.words.set(address + words - 1, value % 0x1_0000)
  }
}
