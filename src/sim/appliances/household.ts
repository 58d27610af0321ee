/** Laundry, bathroom and everything small. Powers and times as measured homes show them. */
import type { Appliance } from './appliance.ts'

/** By the names of scenario files. */
export const HOUSEHOLD: Readonly<Record<string, Appliance>> = {
  // Six of ten re-heats come within a quarter of an hour.
  washing_machine: {
    perDay: 0.7,
    when: 'day',
    phases: [3],
    programs: [
      [
        1,
        [
          { powerW: 2050, pulses: [2, 4.6], onS: [42, 109, 753], offS: [150, 600, 2200] },
          { powerW: 250, onS: [1800, 3600] },
        ],
      ],
    ],
  },
  tumble_dryer: {
    perDay: 0.8,
    when: 'day',
    phases: [3],
    programs: [
      [82, [{ powerW: 2500, pulses: [11, 19], onS: [164, 176, 237], offS: [20, 23, 32] }]],
      [18, [{ powerW: 3750, onS: [600, 2700] }]],
    ],
  },
  iron: {
    perDay: 0.12,
    when: 'evening',
    phases: [2],
    programs: [[1, [{ powerW: 1500, forS: [600, 2400], onS: [10, 13, 15], offS: [26, 39, 108] }]]],
  },
  hair_dryer: {
    perDay: 0.8,
    when: 'showers',
    phases: [3],
    programs: [[1, [{ powerW: [1200, 1900], pulses: [1, 4], onS: [11, 42, 211], offS: [5, 60] }]]],
  },
  vacuum_cleaner: {
    perDay: 0.3,
    when: 'day',
    phases: [1, 2, 3],
    programs: [
      [1, [{ powerW: [600, 1400], pulses: [1, 5], onS: [40, 150, 500], offS: [20, 200] }]],
    ],
    inrush: [2, 4],
  },
  // A thermostat that is busy for an hour, at any time of day or night.
  panel_heater: {
    perDay: 4.4,
    when: 'even',
    phases: [1, 2, 3],
    programs: [
      [1, [{ powerW: [1200, 2000], pulses: [3, 6], onS: [90, 200, 500], offS: [200, 400, 900] }]],
    ],
  },
  small_load: {
    perDay: 12,
    when: 'day',
    phases: [1, 2, 3],
    programs: [[1, [{ powerW: [400, 1000], onS: [20, 120, 3000] }]]],
  },
  fridge: {
    perDay: 'always',
    when: 'even',
    phases: [2],
    inrush: [1.2, 1.9, 10],
    programs: [[1, [{ powerW: 100, forS: 100_000, onS: [900, 1200], offS: [1500, 2100] }]]],
  },
  freezer: {
    perDay: 'always',
    when: 'even',
    phases: [1],
    inrush: [6, 8],
    programs: [[1, [{ powerW: 90, forS: 100_000, onS: [700, 1100], offS: [1300, 2600] }]]],
  },
  // Beats with a meter that reports every 10 s.
  ten_seconds: {
    perDay: 4,
    when: 'day',
    phases: [1, 2, 3],
    gridS: 10,
    programs: [
      [1, [{ powerW: [1000, 1500], forS: [1800, 7200], onS: [10, 30, 110], offS: [20, 60, 200] }]],
    ],
  },
  block: {
    perDay: 1,
    when: 'evening',
    phases: 'three',
    programs: [[1, [{ powerW: 6000, onS: 2880 }]]],
  },
}
