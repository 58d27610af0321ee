/**
 * Which slots to charge in: the cheapest that give the energy before it is wanted, joined so that the vehicle is
 * interrupted twice at most.
 */
import type { Goal, Slot } from './model.ts'

/** Prices closer than this are the same: the earlier slot is taken. */
const SAME_PRICE = 0.05
const MOST_RUNS = 3
const HOUR_MS = 3_600_000

/** What is missing no longer fits into the time left. */
export function isUrgent(
  goal: Goal,
  deliveredWh: number,
  fullW: number,
  wallMs: number | null,
): boolean {
  if (goal.readyByMs === undefined || goal.energyWh === undefined || wallMs === null) return false
  const missingWh = goal.energyWh - deliveredWh
  const neededMs = (missingWh / fullW) * HOUR_MS
  return missingWh > 0 && wallMs + neededMs >= goal.readyByMs
}

/** The slots to charge in from now on. */
export function chosenSlots(
  goal: Goal,
  deliveredWh: number,
  fullW: number,
  wallMs: number,
): readonly Slot[] {
  const endMs = goal.readyByMs ?? Number.POSITIVE_INFINITY
  const open = (goal.slots ?? [])
    .filter(({ fromMs, untilMs }) => untilMs > wallMs && fromMs < endMs)
    .sort((a, b) => a.fromMs - b.fromMs)
  const delayMs = (goal.delayS ?? 0) * 1000
  if (goal.mode === 'schedule') return open
  const missingWh = goal.energyWh === undefined ? null : goal.energyWh - deliveredWh
  const chosen = missingWh === null ? belowMean(open) : cheapest(open, missingWh, fullW, wallMs)
  return joined(chosen, open).map(slot => ({ ...slot, fromMs: slot.fromMs + delayMs }))
}

function belowMean(open: readonly Slot[]): readonly Slot[] {
  const mean = open.reduce((sum, { price = 0 }) => sum + price, 0) / open.length
  return open.filter(({ price = 0 }) => price <= mean)
}

function cheapest(
  open: readonly Slot[],
  missingWh: number,
  fullW: number,
  wallMs: number,
): readonly Slot[] {
  const level = (price = 0) =>
    price > 0 ? Math.round(Math.log(price) / Math.log(1 + SAME_PRICE)) : price - 1e6
  const sorted = [...open].sort((a, b) => level(a.price) - level(b.price) || a.fromMs - b.fromMs)
  const chosen: Slot[] = []
  let wh = 0
  for (const slot of sorted) {
    if (wh >= missingWh) break
    chosen.push(slot)
    wh += (fullW * (slot.untilMs - Math.max(slot.fromMs, wallMs))) / HOUR_MS
  }
  return chosen.sort((a, b) => a.fromMs - b.fromMs)
}

/** Runs of slots that touch; the shortest gaps are filled until few enough remain. */
function joined(chosen: readonly Slot[], open: readonly Slot[]): readonly Slot[] {
  let slots = [...chosen]
  for (;;) {
    const gaps = slots.slice(1).flatMap((slot, index) => {
      const from = slots[index]!.untilMs
      return slot.fromMs > from ? [{ from, until: slot.fromMs }] : []
    })
    if (gaps.length < MOST_RUNS) return slots
    const shortest = gaps.reduce((a, b) => (b.until - b.from < a.until - a.from ? b : a))
    const filling = open.filter(s => s.fromMs >= shortest.from && s.untilMs <= shortest.until)
    const fill = filling.length > 0 ? filling : [{ fromMs: shortest.from, untilMs: shortest.until }]
    slots = [...slots, ...fill].sort((a, b) => a.fromMs - b.fromMs)
    const left = slots.slice(1).filter((slot, index) => slot.fromMs > slots[index]!.untilMs)
    // Slots with holes between them cannot be joined by slots alone.
    if (left.length >= gaps.length)
      slots = [...slots, { fromMs: shortest.from, untilMs: shortest.until }].sort(
        (a, b) => a.fromMs - b.fromMs || a.untilMs - b.untilMs,
      )
    if (slots.length > open.length + gaps.length + 1) return slots
  }
}
