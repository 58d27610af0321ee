/**
 * T_REQ on RTS and RESETN on DTR. Both are active low at the modem and inverted by the adapter: a line that is set pulls
 * its pin low. Opening a port sets both, and each call names both, or the library sets the one that is left out.
 */
import type { SerialPort } from 'serialport'
import type { LineAction } from '../link/modem/exchange.ts'

/** The lines of an open port. */
export interface ModemLines {
  /** T_REQ is driven. */
  readonly request: boolean
  /** RESETN is driven. */
  readonly reset: boolean
  /** Why lines that were wanted are not there. */
  readonly missing?: string
  /** Sets a line once everything written before has left. Does nothing where it is not driven. */
  set(action: Exclude<LineAction, { type: 'write' }>): Promise<void>
}

/** No line at all. */
export const NO_LINES: ModemLines = { request: false, reset: false, set: async () => {} }

/** Lets go of both lines and gives what is driven; a port without modem lines (a pty, some bridges) has none. */
export async function openLines(
  port: SerialPort,
  wantsRequest: boolean,
  wantsReset: boolean,
): Promise<ModemLines> {
  if (!wantsRequest && !wantsReset) return NO_LINES
  const state = { rts: false, dtr: false }
  try {
    await set(port, state)
  } catch (error) {
    // "Inappropriate ioctl": the port has no such lines.
    return { ...NO_LINES, missing: error instanceof Error ? error.message : String(error) }
  }
  return {
    request: wantsRequest,
    reset: wantsReset,
    set: async ({ type, active }) => {
      if (type === 'request-line' && wantsRequest) state.rts = active
      else if (type === 'reset-line' && wantsReset) state.dtr = active
      else return
      await drain(port)
      // A port that went away meanwhile says so by itself.
      if (port.isOpen) await set(port, state)
    },
  }
}

function set(port: SerialPort, state: { readonly rts: boolean; readonly dtr: boolean }) {
  return new Promise<void>((resolve, reject) => {
    port.set({ ...state }, error => (error ? reject(error) : resolve()))
  })
}

function drain(port: SerialPort): Promise<void> {
  // What cannot leave because the port is gone leaves no trace.
  return new Promise(resolve => {
    port.drain(() => resolve())
  })
}
