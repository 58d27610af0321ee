import { createDecipheriv } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { toHex } from '../src/sim/encode/bytes.ts'
import { encodeGeneralGlo } from '../src/sim/encode/general-glo.ts'
import { PROTECTION, sample } from '../src/sim/fixtures/broken.ts'
import { norwegianFixtures } from '../src/sim/fixtures/build.ts'
import { GENERATORS } from '../src/sim/fixtures/generators.ts'
import { HAN_PROFILES } from '../src/sim/norway/profiles.ts'

const files = norwegianFixtures()

for (const [name, generate] of Object.entries(GENERATORS))
  t.test(`fixtures/${name} holds what its generator writes`, async t => {
    const folder = new URL(`../fixtures/${name}/`, import.meta.url)
    t.equal(existsSync(folder), true, 'npm run fixtures was run')
    const written = generate()
    const names = readdirSync(folder)
    for (const { name, content } of written)
      t.equal(readFileSync(new URL(name, folder), 'utf8') === content, true, name)
    t.same(
      names.filter(name => !written.some(file => file.name === name)),
      [],
      'and nothing else',
    )
    t.same(generate(), written, 'the same twice')
  })

t.test('every family has a telegram among the fixtures', async t => {
  const index = JSON.parse(files.find(({ name }) => name === 'index.json')!.content)
  const notes: string[] = index.captures.map((capture: { notes: string }) => capture.notes)
  for (const { name } of HAN_PROFILES)
    t.ok(
      notes.some(note => note.startsWith(`${name}, `)),
      name,
    )
  t.equal(HAN_PROFILES.length, 9)
})

t.test('an unknown sample is our own mistake', async t => {
  t.throws(() => sample('no-such-meter'), RangeError)
})

t.test('a protected telegram opens with its keys', async t => {
  const plain = Uint8Array.of(0x0f, 1, 2, 3)
  const sealed = encodeGeneralGlo(plain, PROTECTION)
  t.equal(toHex(sealed.subarray(0, 16)), 'db08414d5030303030311530' + '00000001', 'header')
  const nonce = Buffer.concat([sealed.subarray(2, 10), sealed.subarray(12, 16)])
  const cipher = createDecipheriv('aes-128-gcm', PROTECTION.encryptionKey, nonce, {
    authTagLength: 12,
  })
  cipher.setAAD(Buffer.concat([Uint8Array.of(0x30), PROTECTION.authenticationKey]))
  cipher.setAuthTag(sealed.subarray(-12))
  t.same(Buffer.concat([cipher.update(sealed.subarray(16, -12)), cipher.final()]), plain)
})
