/** Keys come from files and credentials, every problem is named, and no message ever shows a key. */
import { join } from 'node:path'
import t from 'tap'
import { NO_KEYS } from '../src/dlms/keys.ts'
import { AmpacityError } from '../src/errors.ts'
import { configuredKeys, loadKeys } from '../src/io/meter-files.ts'

const EK = '000102030405060708090a0b0c0d0e0f'
const JSON_KEYS = JSON.stringify({
  keys: [{ system_title: '4B414D0000000001', encryption_key: EK, authentication_key: null }],
})
const YAML_KEYS = `keys:\n  - {system_title: '*', encryption_key: '${EK}'}\n`

async function refused(work: Promise<unknown>): Promise<AmpacityError> {
  try {
    await work
  } catch (error) {
    if (error instanceof AmpacityError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

t.test('JSON and YAML', async t => {
  const dir = t.testdir({ 'a.json': JSON_KEYS, 'b.yaml': YAML_KEYS })
  t.equal((await loadKeys(join(dir, 'a.json'))).keys[0]?.systemTitle, '4b414d0000000001')
  t.equal((await loadKeys(join(dir, 'b.yaml'))).keys[0]?.encryptionKey.length, 16)
})

for (const [name, content, expected] of [
  ['a short key', YAML_KEYS.replace(EK, EK.slice(2)), /keys\.0\.encryption_key: found 30 hex/],
  ['an empty file', '', /keys: found nothing/],
  ['something else', `x: [${EK}`, /line \d is neither JSON nor YAML/],
  ['two problems', `keys: [{system_title: x}]`, /system_title.*\n.*encryption_key/],
] as const)
  t.test(`${name} is refused without showing a key`, async t => {
    const dir = t.testdir({ keys: content })
    const error = await refused(loadKeys(join(dir, 'keys')))
    t.equal(error.code, 'KEYS_INVALID')
    t.equal(error.exitStatus, 2)
    t.match(error.message, expected)
    t.notMatch(error.message, new RegExp(EK.slice(2, 12)))
  })

t.test('where the keys of a configuration are', async t => {
  const dir = t.testdir({ 'han-keys': YAML_KEYS, other: JSON_KEYS })
  t.equal(await configuredKeys(undefined, undefined), NO_KEYS)
  t.equal(await configuredKeys(undefined, t.testdirName.concat('/none')), NO_KEYS)
  t.equal((await configuredKeys(undefined, dir)).keys[0]?.systemTitle, '*')
  t.equal(
    (await configuredKeys({ credential: 'other' }, dir)).keys[0]?.systemTitle,
    '4b414d0000000001',
  )
  t.equal(
    (await configuredKeys({ file: join(dir, 'other') }, undefined)).keys[0]?.systemTitle,
    '4b414d0000000001',
  )
  t.match((await refused(configuredKeys({ credential: 'x' }, undefined))).message, /LoadCredential/)
  t.equal((await refused(configuredKeys({ credential: 'x' }, dir))).code, 'FILE_UNREADABLE')
  t.equal((await refused(configuredKeys({ file: '/none' }, dir))).code, 'FILE_UNREADABLE')
})
