/**
 * What can go wrong, as stable codes. The wording of a message may change, a code may not.
 *
 * Three kinds, three treatments: bytes that gave no reading ({@link DecodeError}, never leaves a decoder except as a
 * `rejected` event), the user's or the outside's fault ({@link AmpacityError}, shown as one line, ends a command with
 * its exit status), and our own fault (any other exception, exit status 70).
 */

/** Why received bytes gave no reading, with what a person can do about it. */
export const DECODE_ERROR_CODES = {
  LINK_BAD_CHECKSUM:
    'A frame arrived damaged: check parity (8N1 or 8E1), cable, adapter and its supply.',
  LINK_BAD_FORMAT:
    'Bytes that start no known frame: check baud rate, parity, and that this is the meter port.',
  LINK_INCOMPLETE:
    'A frame ended early: the adapter loses bytes of long frames, or the recording was cut.',
  LINK_OVERFLOW: 'More segments than any meter sends: the line carries something else.',
  CIPHER_KEY_NEEDED:
    'The telegram is encrypted: ask the grid company for the key, or for an open port.',
  CIPHER_AUTH_FAILED: 'The authentication tag does not fit: wrong key, or a forged telegram.',
  CIPHER_REPLAY: 'An old telegram was sent again: its counter is not above the last accepted one.',
  CIPHER_UNSUPPORTED: 'The telegram uses a protection this version cannot open.',
  APDU_UNKNOWN:
    'The frame is good but carries no data notification: record it and report the meter.',
  DATA_TRUNCATED: 'The list ends before its announced elements do.',
  DATA_UNKNOWN_TAG: 'The list contains a data type that does not exist.',
  DATA_TOO_DEEP: 'The list is nested deeper than any meter nests it.',
  DATA_BAD_VALUE: 'An element has a type or value that its place in the list does not allow.',
  DATA_TRAILING: 'Bytes other than zero padding follow the list.',
  LIST_UNKNOWN: 'The frame is good but no decoder knows this list: record it and report the meter.',
  VALUE_IMPLAUSIBLE: 'A value is physically impossible.',
} as const

/** Stable code of a {@link DecodeError}. */
export type DecodeErrorCode = keyof typeof DECODE_ERROR_CODES

/** A fault found in received bytes. `offset` counts from the first byte of the layer that complains. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly code: DecodeErrorCode
  readonly offset: number
  /** What was found and what was expected, without code and offset. */
  readonly detail: string

  constructor(code: DecodeErrorCode, offset: number, detail: string) {
    super(`${code} at byte ${offset}: ${detail}`)
    this.code = code
    this.offset = offset
    this.detail = detail
  }
}

/** Exit statuses of the program. */
export const EXIT = { ok: 0, rejected: 1, usage: 2, internal: 70 } as const

/** The user's or the outside's faults: exit status and what to do. */
export const ERROR_CODES = {
  USAGE: { exit: 2, remedy: 'See `ampacity --help`.' },
  CONFIG_INVALID: { exit: 2, remedy: 'Correct the values named; nothing was started.' },
  FILE_UNREADABLE: { exit: 2, remedy: 'Check the path and its permissions.' },
  FILE_UNWRITABLE: {
    exit: 1,
    remedy: 'Check the folder, its permissions and free space.',
  },
  KEYS_INVALID: { exit: 2, remedy: 'Correct the keys file; its form is in the README.' },
  INPUT_EMPTY: { exit: 1, remedy: 'Record again: the port delivered no bytes.' },
  INPUT_NOT_HEX: { exit: 2, remedy: 'Use --input binary, or correct the hex digits.' },
  CAPTURE_INVALID: { exit: 2, remedy: 'Record it again with `ampacity capture`.' },
  PROFILE_UNKNOWN: { exit: 2, remedy: '`ampacity chargers` lists the ids; a file needs its path.' },
  PROFILE_INVALID: { exit: 2, remedy: 'Correct the profile; its form is in docs/wallboxes.md.' },
  DECODER_UNKNOWN: { exit: 2, remedy: '`ampacity decoders` lists the ids.' },
  PORT_MISSING: {
    exit: 1,
    remedy: 'Plug the adapter in; use its name under /dev/serial/by-id.',
  },
  PORT_DENIED: {
    exit: 1,
    remedy: 'Add the user to the group of the device (dialout on Debian), then log in again.',
  },
  PORT_BUSY: { exit: 1, remedy: 'Stop the other program that has the port open.' },
  PORT_UNUSABLE: { exit: 1, remedy: 'Name a serial port; this file is none.' },
  HOST_UNREACHABLE: { exit: 1, remedy: 'Check address, port and network.' },
  PORT_TAKEN: {
    exit: 1,
    remedy: 'Choose another port or address, or stop the program that listens there.',
  },
  BROKER_UNREACHABLE: {
    exit: 1,
    remedy: 'Check address, login and that the broker runs.',
  },
} as const

/** Stable code of an {@link AmpacityError}. */
export type ErrorCode = keyof typeof ERROR_CODES

/** Something the user or the outside must mend. The message says what was found; the code's remedy what to do. */
export class AmpacityError extends Error {
  override readonly name = 'AmpacityError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  get exitStatus(): number {
    return ERROR_CODES[this.code].exit
  }

  get remedy(): string {
    return ERROR_CODES[this.code].remedy
  }
}

/** One problem of a configuration or of options, with the path of the value (`installation.mainFuseA`). */
export interface Problem {
  readonly path: string
  /** What was found and what would be right. */
  readonly message: string
}

/** Result of reading something a person wrote: the value, or every problem found in it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] }
