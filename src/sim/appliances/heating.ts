/** Heat for rooms and water. Powers are those of scenarios that name none. */
import type { Appliance } from './appliance.ts'

const ALL_DAY_S = 100_000

/** By the names of scenario files. */
export const HEATING: Readonly<Record<string, Appliance>> = {
  floor_heating: {
    perDay: 'always',
    when: 'even',
    phases: 'each',
    nominalW: 1000,
    programs: [[1, [{ powerW: 1000, forS: ALL_DAY_S, onS: [300, 1200], offS: [300, 1500] }]]],
  },
  water_tank: {
    perDay: 'always',
    when: 'even',
    phases: [3],
    nominalW: 2000,
    programs: [[1, [{ powerW: 2000, forS: ALL_DAY_S, onS: [1200, 3000], offS: [9000, 18_000] }]]],
  },
  heat_pump: {
    perDay: 'always',
    when: 'even',
    phases: 'three',
    nominalW: 3000,
    powerFactor: 0.95,
    inrush: 3.4,
    programs: [[1, [{ powerW: 3000, forS: ALL_DAY_S, onS: [900, 1800], offS: [900, 2400] }]]],
  },
  // Helps the heat pump in two of five of its cycles.
  backup_heater: {
    perDay: 'always',
    when: 'even',
    phases: 'three',
    nominalW: 3000,
    programs: [[1, [{ powerW: 3000, forS: ALL_DAY_S, onS: [600, 1500], offS: [3600, 9000] }]]],
  },
  // A third of the uses are showers, the others hands and dishes.
  water_heater: {
    perDay: 9,
    when: 'showers',
    phases: 'three',
    nominalW: 21_000,
    programs: [
      [35, [{ powerW: [15_750, 21_000], onS: [240, 540] }]],
      [65, [{ powerW: [7350, 15_750], onS: [12, 52] }]],
    ],
  },
  sauna: {
    perDay: 1,
    when: 'evening',
    phases: 'three',
    nominalW: 9000,
    programs: [
      [
        1,
        [
          { powerW: 9000, onS: 2100, offS: 120 },
          { powerW: 9000, forS: 5100, onS: [120, 240], offS: [90, 210] },
        ],
      ],
    ],
  },
}
