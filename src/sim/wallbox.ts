/** A wallbox: turns commands into what its control pilot offers. Plain data and functions; time is an argument. */
import type { PilotState } from '../control/model.ts'
import { LEAST_OFFER_A } from './car.ts'

/** What a wallbox can do. */
export interface WallboxModel {
  readonly chargePoint: string
  readonly phases: 1 | 3
  readonly maxA: number
  /** Offered when no valid command is left, A: 0 or at least 6. */
  readonly safeA: number
  /** Least time between two duty cycles, ms; going to 0 is no change of duty cycle and never waits. */
  readonly spacingMs: number
}

/** Three phases, 16 A, safe at 6 A, the spacing of IEC 61851-1 boxes in the field. */
export const ORDINARY_WALLBOX: WallboxModel = {
  chargePoint: '1',
  phases: 3,
  maxA: 16,
  safeA: 6,
  spacingMs: 5000,
}

/** What a wallbox remembers. */
export interface WallboxState {
  readonly atMs: number
  readonly pluggedIn: boolean
  /** What it was told last, A, or the safe current since nobody told it anything. */
  readonly commandedA: number
  /** Until when the last command counts, `Infinity` once it fell back. */
  readonly validUntilMs: number
  /** What the control pilot offers, A. */
  readonly offeredA: number
  readonly changedAtMs: number
}

/** A wallbox just switched on: it offers the safe current. */
export function newWallbox(model: WallboxModel, atMs: number, pluggedIn = true): WallboxState {
  return {
    atMs,
    pluggedIn,
    commandedA: model.safeA,
    validUntilMs: Infinity,
    offeredA: model.safeA,
    changedAtMs: -Infinity,
  }
}

/** What a command makes it offer: never more than it can, never a value between 0 and 6 A. */
function permitted(model: WallboxModel, limitA: number): number {
  return limitA < LEAST_OFFER_A ? 0 : Math.min(limitA, model.maxA)
}

/** Moves the offer to the command once the spacing allows it; returns the state right after `atMs`. */
function settle(model: WallboxModel, state: WallboxState, atMs: number): WallboxState {
  const { commandedA, offeredA, changedAtMs } = state
  if (commandedA === offeredA) return { ...state, atMs }
  if (commandedA === 0) return { ...state, atMs, offeredA: 0 }
  const freeAt = changedAtMs + model.spacingMs
  if (freeAt > atMs) return { ...state, atMs }
  const when = Math.max(state.atMs, freeAt)
  return { ...state, atMs, offeredA: commandedA, changedAtMs: when }
}

/** The wallbox at `nowMs`: falls to its safe current when the last command is no longer valid. */
export function stepWallbox(model: WallboxModel, state: WallboxState, nowMs: number): WallboxState {
  if (nowMs < state.validUntilMs) return settle(model, state, Math.max(nowMs, state.atMs))
  const expired = settle(model, state, state.validUntilMs)
  const fallen = { ...expired, commandedA: model.safeA, validUntilMs: Infinity }
  return settle(model, fallen, nowMs)
}

/** Tells it at `nowMs` to offer at most `limitA` for the next `validForMs`. */
export function commandWallbox(
  model: WallboxModel,
  state: WallboxState,
  limitA: number,
  validForMs: number,
  nowMs: number,
): WallboxState {
  const current = stepWallbox(model, state, nowMs)
  const told = {
    ...current,
    commandedA: permitted(model, limitA),
    validUntilMs: nowMs + validForMs,
  }
  return settle(model, told, nowMs)
}

/** State of the control pilot: A no vehicle, B connected, C when current flows. */
export function pilotState(state: WallboxState, vehicleA: number): PilotState {
  if (!state.pluggedIn) return 'A'
  return vehicleA > 0 ? 'C' : 'B'
}
