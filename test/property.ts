/**
 * fast-check with one seed for every run, so that a build fails only for what it changed. To look for what nobody has
 * found yet, ask for other seeds and more runs: `AMPACITY_SEED=$RANDOM RUNS=2000 npx tap run test/control-*.test.ts`.
 */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['AMPACITY_SEED'] ?? 1) })

export default fc
