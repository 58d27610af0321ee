/** What `run` shows in a terminal: one panel a home, drawn anew whenever something changed. */
import type { LimitCommand } from '../control/model.ts'
import type { Reading } from '../reading.ts'

/** What a panel shows. */
export interface Panel {
  readonly title: string
  readonly fuseA: readonly number[]
  /** Lines of the charge point: 1 to 3. */
  readonly maxA: number
  reading: Reading | undefined
  command: LimitCommand | undefined
  /** What the vehicle draws, A; `undefined` where the charge point does not tell. */
  carA: number | undefined
  /** Power the meter lets through, W, where it limits. */
  availableW: number | undefined
  telegrams: number
  rejected: number
  /** Newest last. */
  readonly events: string[]
}

const BAR = 24
const LINE_FIELDS = ['currentL1A', 'currentL2A', 'currentL3A'] as const

/** A fresh panel. */
export function newPanel(title: string, fuseA: readonly number[], maxA: number): Panel {
  return {
    title,
    fuseA,
    maxA,
    reading: undefined,
    command: undefined,
    carA: undefined,
    availableW: undefined,
    telegrams: 0,
    rejected: 0,
    events: [],
  }
}

/** Remembers what happened; the oldest of more than three is forgotten. */
export function addEvent(panel: Panel, text: string): void {
  panel.events.push(text)
  if (panel.events.length > 3) panel.events.shift()
}

/** Lines of text of one panel. `currents` are the newest known, from the last telegram that carried them. */
export function renderPanel(panel: Panel, currents: readonly (number | undefined)[]): string[] {
  const { command, reading } = panel
  const powerW = reading?.values.activePowerImportW
  const counts = `${panel.telegrams} telegrams, ${panel.rejected} rejected`
  const rows = [
    `── ${panel.title} ${'─'.repeat(Math.max(2, 70 - panel.title.length))}`,
    `   ${counts}${typeof powerW === 'number' ? `, import ${powerW} W` : ''}`,
  ]
  for (const [line, fuse] of panel.fuseA.entries()) {
    const current = currents[line]
    rows.push(
      `   L${line + 1} ${bar(current ?? 0, fuse)} ${
        current === undefined ? '   not known' : `${current.toFixed(1).padStart(5)} A`
      } of ${fuse} A`,
    )
  }
  if (panel.availableW !== undefined) {
    const watts = typeof powerW === 'number' ? powerW : undefined
    rows.push(
      `   P  ${bar(watts ?? 0, panel.availableW)} ${
        watts === undefined ? '   not known' : `${String(watts).padStart(5)} W`
      } of ${panel.availableW} W`,
    )
  }
  const car = panel.carA === undefined ? '' : `   the car draws ${panel.carA.toFixed(1)} A`
  rows.push(
    command === undefined
      ? '   waiting for the first telegram'
      : `   limit ${command.limitA.toFixed(1)} A  ${bar(command.limitA, panel.maxA)}${car}`,
  )
  rows.push(command === undefined ? '' : `   ${command.code}: ${command.text}`)
  for (let i = 0; i < 3; i++) rows.push(`   ${panel.events[i] ?? ''}`)
  return rows
}

function bar(value: number, full: number): string {
  const filled = Math.max(0, Math.min(BAR, Math.round((value / full) * BAR)))
  return '█'.repeat(filled) + '░'.repeat(BAR - filled)
}

/** The newest current of each line: telegrams with power alone leave the older ones standing. */
export function lineCurrents(
  before: readonly (number | undefined)[],
  reading: Reading,
): readonly (number | undefined)[] {
  return LINE_FIELDS.map((field, line) => {
    const measured = reading.values[field] ?? reading.derived?.[field]?.value
    return measured ?? before[line]
  })
}

/** Draws over what it drew before. */
export class Screen {
  private readonly stream: NodeJS.WritableStream & { columns?: number }
  private height = 0

  constructor(stream: NodeJS.WritableStream & { columns?: number }) {
    this.stream = stream
  }

  draw(rows: readonly string[]): void {
    const width = this.stream.columns ?? 80
    const up = this.height > 0 ? `\x1b[${this.height}A` : ''
    const text = rows.map(row => `${row.slice(0, width - 1)}\x1b[K\n`).join('')
    this.height = rows.length
    this.stream.write(up + text)
  }
}
