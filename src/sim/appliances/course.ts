/** When people do things: weights for the hours of a day. */
import { chooseWeighted } from './spread.ts'

/** Kinds of habit. */
export type Course = 'meals' | 'showers' | 'morning' | 'day' | 'evening' | 'even'

/** Weights of the hours 0 to 23. Homes are busiest at 17 h, with a broad morning from 9 to 13 h. */
const WEIGHTS: Readonly<Record<Course, readonly number[]>> = {
  meals: [0, 0, 0, 0, 0, 1, 3, 4, 4, 4, 4, 6, 7, 4, 2, 3, 8, 14, 10, 5, 3, 2, 1, 0],
  showers: [0, 0, 0, 0, 1, 3, 9, 8, 4, 2, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 7, 4, 1],
  morning: [0, 0, 0, 0, 1, 4, 9, 9, 6, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0],
  day: [0, 0, 0, 0, 0, 1, 2, 4, 6, 8, 8, 8, 8, 6, 5, 6, 8, 10, 8, 6, 5, 4, 2, 1],
  evening: [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 6, 9, 10, 10, 8, 6, 4, 2],
  even: Array.from({ length: 24 }, () => 1),
}

const HOUR_S = 3600
const DAY_S = 24 * HOUR_S

/** A moment chosen by a course, seconds after a start that lies `startS` after midnight; 0 to 86,399. */
export function moment(course: Course, startS: number, next: () => number): number {
  const atS = (chooseWeighted(WEIGHTS[course], next) + next()) * HOUR_S
  return Math.floor((atS - startS + DAY_S) % DAY_S)
}
