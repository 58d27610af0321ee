/**
 * Messages of a Chain2 gateway to readings and signals. What it remembers: the report step, the newest frames (to know
 * a second delivery), the counter of each kind of event (to know a lost one) and the meter's clock.
 */
import { DecodeError } from '../../src/errors.ts'
import type { JsonMessage, Understood } from '../../src/json/decoder.ts'
import { MeterClock } from './clock.ts'
import { FRAMES } from './frames.ts'
import { type CompactFrame, readMessage } from './message.ts'
import { type Chain2Options, presumedGapW } from './options.ts'
import { type Context, readingOf, signalOf } from './reading.ts'
import { amount, count, posix } from './values.ts'

/** Frames remembered to know a second delivery. */
const REMEMBERED = 32
/** What makes two frames the same, beside number and meter. */
const STAMPS = [
  'messageposixtimestamp',
  'measureposixtimestamp',
  'eventposixtimestamp',
  'eventscounter',
]

/** Time stamps and counters are short; what is not is still told apart by its beginning. */
function shortened(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value).slice(0, 24)
}

/** One conversation with one gateway. */
export class Chain2Messages {
  private readonly id: string
  private readonly options: Chain2Options
  private readonly clock = new MeterClock()
  private readonly seen: string[] = []
  private readonly counters = new Map<string, number>()
  private gapW: number | undefined
  private contractedW: number | undefined
  private availableW: number | undefined

  /** `id` is that of the readings. */
  constructor(id: string, options: Chain2Options) {
    this.id = id
    this.options = options
  }

  /**
   * What a message says.
   *
   * @throws DecodeError
   */
  read({ value, at, isRetained }: JsonMessage): Understood {
    const frame = readMessage(value)
    if (typeof frame === 'string') return { info: `${frame}: the gateway tells of itself` }
    const { cf, values } = frame
    if (FRAMES[cf] === undefined)
      throw new DecodeError('LIST_UNKNOWN', 0, `frame CF${cf} with ${[...values.keys()]}`)
    if (this.isSecond(frame)) return { info: `CF${cf} a second time` }
    const messageS = posix(values.get('messageposixtimestamp'))
    if (messageS !== null && !isRetained) this.clock.hear(messageS, at)
    const missed = this.missedBefore(frame)
    this.learn(frame)
    const context: Context = {
      decoder: this.id,
      at,
      clock: this.clock,
      gapW: this.gapW ?? presumedGapW(this.options, this.contractedW),
      mostW: 2 * (this.availableW ?? this.contractedW ?? 0),
      missed,
      isRetained,
    }
    const signal = signalOf(frame, context)
    return {
      ...(signal === undefined ? {} : { signal }),
      ...(cf === 20 ? {} : { reading: readingOf(frame, context) }),
      ...((missed ?? 0) > 0 ? { notes: ['reports_lost'] as const } : {}),
    }
  }

  /** Report step and powers of the contract, wherever a frame carries them. */
  private learn({ values }: CompactFrame): void {
    const told = (name: string) => amount(name, values.get(name) ?? null) ?? undefined
    const gapW = told('gap')
    if (gapW !== undefined && gapW > 0) this.gapW = gapW
    this.contractedW = told('contractpower') ?? this.contractedW
    this.availableW = told('availablepower') ?? this.availableW
  }

  /** The same frame, event and time stamps were there before. */
  private isSecond({ cf, meter, values }: CompactFrame): boolean {
    const stamps = STAMPS.map(name => values.get(name)).map(shortened)
    if (stamps.every(stamp => stamp === undefined)) return false
    const key = [cf, meter, ...stamps].join(' ')
    if (this.seen.includes(key)) return true
    this.seen.push(key)
    if (this.seen.length > REMEMBERED) this.seen.shift()
    return false
  }

  /** Events of this kind that were counted and never arrived; `undefined` where the counter tells nothing. */
  private missedBefore({ cf, meter, values }: CompactFrame): number | undefined {
    const counter = count(values.get('eventscounter'))
    if (counter === undefined) return undefined
    const kind = `${cf} ${meter}`
    const before = this.counters.get(kind)
    this.counters.set(kind, counter)
    return before === undefined || counter <= before ? undefined : counter - before - 1
  }
}
