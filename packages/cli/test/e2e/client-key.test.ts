import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { browse } from '@authconn/sandbox'
import { expect, onTestFinished, test } from 'vitest'
import { beginAuthorize } from './support/authorization.ts'
import { useWorld } from './support/world.ts'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = { ...(publicKey.export({ format: 'jwk' }) as { kty: string }), kid: 'key-1', use: 'sig' }

const { current } = useWorld({
  requirePushedAuthorizationRequests: true,
  clients: [
    {
      client_id: 'bank-client',
      client_secret: 'of no use',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    },
  ],
})

test('a client with a private key and no secret is created, authorized and refreshed from the command line', async () => {
  const { authconn, sandbox } = current()
  const directory = await mkdtemp(join(tmpdir(), 'authconn-key-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'key.pem')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  await writeFile(file, pem, { mode: 0o600 })

  const of = ['--client-auth', 'private_key_jwt', '--private-key-file', file, '--key-id', 'key-1']
  const created = await authconn([
    'create',
    'bank',
    '--provider-url',
    sandbox.issuer,
    '--client-id',
    'bank-client',
    ...of,
  ])
  expect(created.exitCode, created.stderr).toBe(0)
  expect(created.stdout).toMatch(/^ {2}client key +ES256, key id key-1, thumbprint [\w-]{43}$/m)
  expect(created.stdout).toContain(`${sandbox.issuer}/par`)

  const authorizing = await beginAuthorize(current(), 'bank')
  await browse(authorizing.notice.authorization_url, { followCallback: true })
  expect((await authorizing.ended).exitCode).toBe(0)
  expect(sandbox.stats.pushedAuthorizations).toBe(1)
  const first = await authconn(['token', 'bank'])
  const second = await authconn(['token', 'bank', '--refresh'])
  expect({ exitCode: second.exitCode, stderr: second.stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(second.stdout).not.toBe(first.stdout)

  const { stdout } = await authconn(['get', 'bank', '--json'])
  const body = pem.split('\n').slice(1, -2).join('')
  for (const shown of [created.stdout, created.stderr, stdout]) expect(shown).not.toContain(body.slice(0, 40))
}, 60_000)
