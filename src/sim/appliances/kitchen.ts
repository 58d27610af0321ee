/** Appliances of the kitchen. Powers and times as measured homes show them. */
import type { Appliance } from './appliance.ts'

const HOB_S = [700, 1900] as const

/** By the names of scenario files. */
export const KITCHEN: Readonly<Record<string, Appliance>> = {
  kettle: {
    perDay: 3.5,
    when: 'meals',
    phases: [1],
    programs: [[1, [{ powerW: [1850, 2200, 2600], onS: [52, 127, 252] }]]],
  },
  microwave: {
    perDay: 2,
    when: 'meals',
    phases: [1],
    programs: [
      [1, [{ powerW: [960, 1430], forS: [60, 300], onS: [8, 21, 111], offS: [5, 9, 111] }]],
    ],
  },
  oven: {
    perDay: 0.5,
    when: 'meals',
    phases: [2],
    programs: [
      [
        1,
        [
          { powerW: [2600, 2900], onS: [420, 660] },
          {
            waitS: [40, 90],
            powerW: [2600, 2900],
            forS: [1500, 3300],
            onS: [25, 55],
            offS: [50, 110],
          },
        ],
      ],
    ],
  },
  // No phase of a home with three was seen above 22 A, so what the zones of a hob draw together is clamped.
  hob: {
    perDay: 0.9,
    when: 'meals',
    phases: [2, 3],
    zones: [1, 2.2],
    mostW: 3700,
    programs: [
      [
        75,
        [
          { chance: 0.9, powerW: [2300, 3600], onS: [150, 330], offS: 20 },
          { powerW: 1600, forS: HOB_S, onS: [21, 44, 81], everyS: [65, 86] },
        ],
      ],
      [22, [{ powerW: [2100, 2400], forS: HOB_S, onS: [13, 38, 184], offS: [40, 70, 120] }]],
      [
        3,
        [
          { chance: 0.9, powerW: [2300, 3600], onS: [150, 330], offS: 10 },
          { powerW: 1800, forS: HOB_S, onS: [2, 14], everyS: [4, 20] },
        ],
      ],
    ],
  },
  coffee_machine: {
    perDay: 3,
    when: 'day',
    phases: [1],
    programs: [[1, [{ powerW: 680, pulses: [10, 18], onS: [4, 5, 15], offS: [40, 120, 300] }]]],
  },
  automatic_coffee_machine: {
    perDay: 5,
    when: 'day',
    phases: [1],
    programs: [[1, [{ powerW: 1400, pulses: [8, 20], onS: [1, 2, 4], offS: [4, 12, 45] }]]],
  },
  dishwasher: {
    perDay: 0.9,
    when: 'evening',
    phases: [1],
    programs: [
      [1, [{ powerW: 2080, pulses: [2, 5.2], onS: [119, 579, 1137], offS: [500, 1200, 2400] }]],
    ],
  },
}
