import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cliPath, startChild } from '../packages/cli/test/e2e/support/child.ts'
import { selfSigned } from '../packages/server/test/oauth/support/self-signed.ts'
import {
  directoryWithDatabase,
  startVaultProcess,
  temporaryDirectory,
} from '../packages/server/test/support/vault-process.ts'

test('the command line finds a vault with TLS of its own, and sends no key before it trusts its certificate', async () => {
  const directory = temporaryDirectory()
  const dataDirectory = directoryWithDatabase()
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  writeFileSync(cert, selfSigned.cert)
  writeFileSync(key, selfSigned.key, { mode: 0o600 })
  const vault = await startVaultProcess({
    AUTHCONN_DATA_DIR: dataDirectory,
    AUTHCONN_TLS_CERT_FILE: cert,
    AUTHCONN_TLS_KEY_FILE: key,
  })
  const list = async (env: Record<string, string>) => {
    const child = startChild(cliPath, ['list', '--json'], { HOME: directory, ...env })
    child.process.stdin?.end()
    const { exitCode } = await child.ended
    return { exitCode, stdout: child.stdout(), stderr: child.stderr() }
  }
  const local = { AUTHCONN_DATA_DIR: dataDirectory }
  const remote = { AUTHCONN_URL: vault.url, AUTHCONN_API_KEY: vault.credentials().api_key }

  for (const env of [local, remote]) {
    const refused = await list(env)
    expect(refused.exitCode).toBe(7)
    expect(refused.stderr).toContain('NODE_EXTRA_CA_CERTS')
  }
  expect(vault.output().stdout).not.toContain('"msg":"request"')
  for (const env of [local, remote]) {
    const { exitCode, stdout } = await list({ ...env, NODE_EXTRA_CA_CERTS: cert })
    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 0, connections: [] })
  }
})
