import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { connect as connectPlain, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { selfSigned, selfSignedLocalhost } from '../oauth/support/self-signed.ts'
import {
  directoryWithDatabase,
  runServer,
  startVaultProcess,
  temporaryDirectory,
} from '../support/vault-process.ts'

function certificateFiles({ cert, key }: { cert: string; key: string } = selfSigned) {
  const directory = temporaryDirectory()
  const files = {
    AUTHCONN_TLS_CERT_FILE: join(directory, 'cert.pem'),
    AUTHCONN_TLS_KEY_FILE: join(directory, 'key.pem'),
  }
  writeFileSync(files.AUTHCONN_TLS_CERT_FILE, cert)
  writeFileSync(files.AUTHCONN_TLS_KEY_FILE, key, { mode: 0o600 })
  return files
}

async function handshake(url: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { hostname, port } = new URL(url)
  const ca = [selfSigned.cert, selfSignedLocalhost.cert]
  const socket = connect({ host: hostname, port: Number(port), ca, ...options })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

async function ask(socket: TLSSocket): Promise<string> {
  socket.write('GET /healthz HTTP/1.1\r\nHost: vault.example.com\r\n\r\n')
  const [answer] = await once(socket, 'data')
  return String(answer)
}

describe('with a certificate', { timeout: 60_000 }, () => {
  test('the vault speaks HTTPS from TLS 1.2 on, with strict transport security, and nothing else', async () => {
    const vault = await startVaultProcess({ AUTHCONN_DATA_DIR: directoryWithDatabase(), ...certificateFiles() })
    expect(vault.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    expect(vault.credentials().url).toBe(vault.url)

    const modern = await handshake(vault.url)
    expect(modern.getProtocol()).toBe('TLSv1.3')
    expect(await ask(modern)).toMatch(/^HTTP\/1\.1 200 .*strict-transport-security: max-age=31536000/s)
    const old = await handshake(vault.url, { maxVersion: 'TLSv1.2' })
    expect(old.getProtocol()).toBe('TLSv1.2')
    expect(old.getCipher().name).toMatch(/^ECDHE-.*(GCM|POLY1305)/)
    await expect(
      handshake(vault.url, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow(/version|protocol/i)
    await expect(handshake(vault.url, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA256' })).rejects.toThrow()

    const plain = connectPlain(Number(new URL(vault.url).port), '127.0.0.1')
    plain.write('GET /healthz HTTP/1.1\r\nHost: vault\r\n\r\n')
    let answered = ''
    plain.on('data', (bytes) => {
      answered += bytes
    })
    plain.on('error', () => undefined)
    await once(plain, 'close')
    expect(answered).not.toContain('200')
    expect(vault.output().stdout + vault.output().stderr).not.toContain('PRIVATE KEY')
  })

  test('a renewed one is served after SIGHUP, a broken one is not, and open connections go on', async () => {
    const files = certificateFiles()
    const vault = await startVaultProcess({ AUTHCONN_DATA_DIR: directoryWithDatabase(), ...files })
    const served = async () => {
      const socket = await handshake(vault.url, { checkServerIdentity: () => undefined })
      const names = socket.getPeerX509Certificate()?.subjectAltName
      socket.destroy()
      return names
    }
    const open = await handshake(vault.url)
    await ask(open)

    writeFileSync(files.AUTHCONN_TLS_CERT_FILE, selfSignedLocalhost.cert)
    process.kill(vault.pid ?? 0, 'SIGHUP')
    await expect.poll(() => vault.output().stdout).toContain('the former one is served')
    expect(await served()).toContain('127.0.0.1')

    writeFileSync(files.AUTHCONN_TLS_KEY_FILE, selfSignedLocalhost.key)
    process.kill(vault.pid ?? 0, 'SIGHUP')
    await expect.poll(served).toBe('DNS:localhost')
    expect(await ask(open)).toMatch(/^HTTP\/1\.1 200/)
  })

  test('the local command line is told a name that is in it', async () => {
    const vault = await startVaultProcess({
      AUTHCONN_DATA_DIR: directoryWithDatabase(),
      ...certificateFiles(selfSignedLocalhost),
    })
    expect(new URL(vault.credentials().url).hostname).toBe('localhost')
    const answer = get(`${vault.credentials().url}/healthz`, { ca: selfSignedLocalhost.cert, family: 4 })
    const [response] = await once(answer, 'response')
    expect(response.statusCode).toBe(200)
    response.destroy()
  })

  test('a client that never ends its handshake is cut off', async () => {
    const vault = await startVaultProcess({ AUTHCONN_DATA_DIR: directoryWithDatabase(), ...certificateFiles() })
    const socket = connectPlain(Number(new URL(vault.url).port), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    const closed = once(socket, 'close').then(() => 'closed')
    expect(await Promise.race([closed, sleep(15_000)])).toBe('closed')
  })
})

describe('start is refused', () => {
  const start = (env: Record<string, string>) =>
    runServer(['start', '--port', '0'], { AUTHCONN_DATA_DIR: temporaryDirectory(), ...env })

  test('when others can read the key', async () => {
    const files = certificateFiles()
    chmodSync(files.AUTHCONN_TLS_KEY_FILE, 0o644)
    const { code, stderr } = await start(files)
    expect(code).toBe(1)
    expect(stderr).toContain('key_file_unsafe')
    expect(stderr).toContain(files.AUTHCONN_TLS_KEY_FILE)
  })

  test.each([
    ['the key of another certificate', () => certificateFiles({ ...selfSigned, key: selfSignedLocalhost.key })],
    ['a key that is none', () => certificateFiles({ ...selfSigned, key: 'key-canary' })],
    ['a certificate that is none', () => certificateFiles({ ...selfSigned, cert: 'nothing' })],
    ['a file that is not there', () => ({ ...certificateFiles(), AUTHCONN_TLS_CERT_FILE: '/nowhere/cert.pem' })],
    ['a certificate without a key', () => ({ ...certificateFiles(), AUTHCONN_TLS_KEY_FILE: '' })],
    ['a key without a certificate', () => ({ ...certificateFiles(), AUTHCONN_TLS_CERT_FILE: '' })],
  ])('with %s, by the name of the setting', async (_what, files) => {
    const env = files()
    const { code, stdout, stderr } = await start(env)
    expect(code).toBe(2)
    expect(stderr).toMatch(/setting_invalid\)\n.*AUTHCONN_TLS_(CERT|KEY)_FILE/)
    expect(stdout + stderr).not.toContain('key-canary')
    expect(stdout + stderr).not.toContain(
      readFileSync(env.AUTHCONN_TLS_KEY_FILE || '/dev/null', 'utf8') || 'never',
    )
    expect(stdout).not.toContain('listening')
  })
})

test('both addresses of localhost are listened on, and a renewed certificate is served at both', async (context) => {
  if (!(await listensOn('::1'))) context.skip('this machine has no IPv6')
  const files = certificateFiles()
  const vault = await startVaultProcess({
    AUTHCONN_DATA_DIR: directoryWithDatabase(),
    AUTHCONN_HOST: 'localhost',
    ...files,
  })
  const served = async (host: string) => {
    const socket = await handshake(vault.url, { host, checkServerIdentity: () => undefined })
    const names = socket.getPeerX509Certificate()?.subjectAltName
    socket.destroy()
    return names
  }
  expect(await served('::1')).toContain('127.0.0.1')
  writeFileSync(files.AUTHCONN_TLS_CERT_FILE, selfSignedLocalhost.cert)
  writeFileSync(files.AUTHCONN_TLS_KEY_FILE, selfSignedLocalhost.key)
  process.kill(vault.pid ?? 0, 'SIGHUP')
  for (const host of ['127.0.0.1', '::1']) await expect.poll(() => served(host)).toBe('DNS:localhost')
  expect(await vault.end('SIGTERM')).toBe(0)
})

function listensOn(host: string): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(0, host, () => server.close(() => resolve(true)))
  })
}
