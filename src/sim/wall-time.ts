/** Wall-clock time of simulated days. */

/** A winter day without a change of clocks. */
const DATE = Date.UTC(2026, 0, 14)

/** Epoch ms at which it is `secondOfDay` in a time zone on the day that simulations begin; whole ten seconds. */
export function startOf(timeZone: string, secondOfDay: number): number {
  const utc = DATE + secondOfDay * 1000
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(utc)
  const part = (type: string): number => Number(parts.find(p => p.type === type)?.value)
  const shown = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'))
  return utc - (shown - Math.floor(utc / 60_000) * 60_000)
}
