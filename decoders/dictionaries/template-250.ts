/**
 * A frame that no meter sends, for tests, simulated meters and trying out a modem: an overload with its countdown. Its
 * number and layout are invented and none of CEI TS 13-83.
 */
export const TEMPLATE_250 = {
  dictionary: 'template-250',
  version: 'invented-1',
  status: 'unverified',
  about: 'invented for tests',
  frames: [
    {
      templateId: 250,
      name: 'TEST250',
      fields: [
        { name: 'template_id', type: 'u8', const: 250 },
        { name: 'posix', type: 'unix32', map: 'measuredAt' },
        { name: 'instantPowerW', type: 'u32', na: ['0xFFFFFFFF'], map: 'import.power' },
        { name: 'availablePowerW', type: 'u32', na: ['0xFFFFFFFF'], map: 'limit.available' },
        { name: 'switchOffCountdownS', type: 'u16', na: ['0xFFFF'], map: 'trip.countdown' },
      ],
    },
  ],
} as const
