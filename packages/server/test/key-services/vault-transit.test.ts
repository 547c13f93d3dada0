import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KeyService } from '../../src/adapters/key-services/key-service.ts'
import { openVaultTransit } from '../../src/adapters/key-services/vault-transit.ts'
import type { TransitAccess } from '../../src/core/crypto/kek-source.ts'
import { Secret } from '../../src/core/secret.ts'
import { temporaryDirectory } from '../support/vault-process.ts'
import { type FakeTransit, fakeTransit } from './support/fake-transit.ts'

const binding = { workspace: 'workspace-1', dataKey: 'data-key-1' }
const bytes = randomBytes(32)
const signal = AbortSignal.timeout(30_000)
const nothing: TransitAccess = { token: undefined, tokenFile: undefined, login: undefined, namespace: undefined }

const open = ({ port }: FakeTransit, access: Partial<TransitAccess>) =>
  openVaultTransit(
    { kind: 'vault-transit', id: '', origin: `http://127.0.0.1:${port}`, mount: 'team/transit', name: 'authconn' },
    { ...nothing, ...access },
  )

async function wrapAndUnwrap(service: KeyService): Promise<void> {
  const wrapped = await service.wrap(bytes, binding, signal)
  expect(Buffer.from(wrapped).toString()).toMatch(/^vault:v1:/)
  expect(Buffer.from(await service.unwrap(wrapped, binding, signal))).toEqual(bytes)
}

const loginsOf = ({ calls }: FakeTransit) => calls.filter(({ path }) => path.endsWith('/login'))

describe('Vault transit', () => {
  test('is asked with associated data, in its namespace', async () => {
    const server = await fakeTransit()
    await wrapAndUnwrap(open(server, { token: new Secret('hvs.the-token'), namespace: 'team/a' }))
    const [encrypt, , decrypt] = server.calls
    const data = JSON.stringify(['authconn', 'data-key', 'workspace-1', 'data-key-1'])
    const associated_data = Buffer.from(data).toString('base64')
    expect(encrypt?.body).toEqual({ plaintext: bytes.toString('base64'), associated_data })
    expect(decrypt?.body).toEqual({ ciphertext: expect.stringMatching(/^vault:v1:/), associated_data })
    expect(encrypt?.headers).toMatchObject({ 'x-vault-namespace': 'team/a', 'x-vault-token': 'hvs.the-token' })
  })

  test('is refused when it is too old to bind: what it wraps would unwrap anywhere', async () => {
    const server = await fakeTransit({ before113: true })
    const service = open(server, { token: new Secret('hvs.the-token') })
    await expect(service.wrap(bytes, binding, signal)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('1.13'),
    })
  })

  test.each([
    [400, 'cipher: message authentication failed'],
    [400, 'chacha20poly1305: message authentication failed'],
    [400, 'invalid ciphertext: could not decode base64'],
    [500, '1 error occurred:\n\t* cipher: message authentication failed\n\n'],
  ])('answers what it has not wrapped with %d: %s', async (status, reason) => {
    const server = await fakeTransit()
    const service = open(server, { token: new Secret('hvs.the-token') })
    server.fault = () => ({ status, body: { errors: [reason] } })
    await expect(service.unwrap(Buffer.from('vault:v1:x'), binding, signal)).rejects.toMatchObject({
      kind: 'wrong',
    })
    // Of what it was given to wrap, that would say nothing.
    await expect(service.wrap(bytes, binding, signal)).rejects.toMatchObject({
      kind: status === 500 ? 'passing' : 'refused',
    })
  })

  test('is asked once whether it binds, and not for each data key', async () => {
    const server = await fakeTransit()
    const service = open(server, { token: new Secret('hvs.the-token') })
    for (let at = 0; at < 3; at++) await service.wrap(bytes, binding, signal)
    expect(server.calls).toHaveLength(4)
  })

  test('is shown the token that an agent has put into the file meanwhile', async () => {
    const server = await fakeTransit()
    const tokenFile = join(temporaryDirectory(), 'token')
    writeFileSync(tokenFile, 'hvs.the-token\n')
    const service = open(server, { tokenFile })
    await wrapAndUnwrap(service)
    server.tokens.clear()
    await expect(service.wrap(bytes, binding, signal)).rejects.toMatchObject({ kind: 'refused' })
    server.tokens.add('hvs.the-next')
    writeFileSync(tokenFile, 'hvs.the-next\n')
    await wrapAndUnwrap(service)
    rmSync(tokenFile)
    await expect(service.wrap(bytes, binding, signal)).rejects.toMatchObject({
      kind: 'passing',
      message: `${tokenFile} cannot be read (ENOENT)`,
    })
  })

  test('is shown no token where an agent in between adds it', async () => {
    const server = await fakeTransit()
    server.tokens.add('undefined')
    await wrapAndUnwrap(open(server, {}))
    expect(server.calls[0]?.headers).not.toHaveProperty('x-vault-token')
  })
})

describe('a login with the JWT of a pod', () => {
  const prepare = async (seconds: number) => {
    const server = await fakeTransit()
    const jwtFile = join(temporaryDirectory(), 'jwt')
    writeFileSync(jwtFile, 'the jwt\n')
    server.logins.set('the jwt', { token: 'hvs.first', seconds })
    const service = open(server, { login: { mount: 'kubernetes', role: 'authconn', jwtFile } })
    return { server, service, jwtFile }
  }

  test('gives a token for many calls', async () => {
    const { server, service } = await prepare(3600)
    await wrapAndUnwrap(service)
    await wrapAndUnwrap(service)
    expect(loginsOf(server).map(({ body }) => body)).toEqual([{ role: 'authconn', jwt: 'the jwt' }])
  })

  test('is done again before the token ends, with the JWT that is there then', async () => {
    const { server, service, jwtFile } = await prepare(1)
    await wrapAndUnwrap(service)
    writeFileSync(jwtFile, 'the next jwt')
    server.logins.set('the next jwt', { token: 'hvs.second', seconds: 3600 })
    await new Promise((resolve) => setTimeout(resolve, 850))
    await wrapAndUnwrap(service)
    expect(loginsOf(server).map(({ body }) => body.jwt)).toEqual(['the jwt', 'the next jwt'])
  })

  test('is done again when the token was revoked, once', async () => {
    const { server, service } = await prepare(3600)
    await wrapAndUnwrap(service)
    server.tokens.clear()
    await wrapAndUnwrap(service)
    expect(loginsOf(server)).toHaveLength(2)
    server.fault = ({ path }) => (path.endsWith('/login') ? undefined : { status: 403, body: { errors: ['no'] } })
    await expect(service.wrap(bytes, binding, signal)).rejects.toMatchObject({ kind: 'refused' })
    expect(loginsOf(server)).toHaveLength(3)
  })

  test('that is refused says so', async () => {
    const { server, service } = await prepare(3600)
    server.logins.clear()
    await expect(service.wrap(bytes, binding, signal)).rejects.toMatchObject({
      kind: 'refused',
      message: 'login: 403: permission denied',
    })
  })
})
