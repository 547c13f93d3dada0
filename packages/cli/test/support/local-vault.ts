import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { proveVault } from '@authconn/shared/local'
import { onTestFinished } from 'vitest'
import { fakeVault, type Handlers } from './fake-vault.ts'

/** A directory as a vault on this machine leaves it. */
export async function withCredentials(content: string, mode = 0o600) {
  const dataDir = await mkdtemp(join(tmpdir(), 'authconn-cli-'))
  onTestFinished(() => rm(dataDir, { recursive: true }))
  const file = join(dataDir, 'credentials.json')
  await writeFile(file, content)
  await chmod(file, mode)
  return { file, env: { AUTHCONN_DATA_DIR: dataDir } }
}

/** A fake vault that has left its credentials, and can prove that it has unless a handler says otherwise. */
export async function localVault(handlers: Handlers) {
  const key = randomBytes(32).toString('base64url')
  const vault = await fakeVault({
    getHealth: ({ query }) => ({ status: 'ok', proof: proveVault(key, query.challenge ?? '') }),
    ...handlers,
  })
  const content = { url: vault.url, api_key: 'ak_local', proof_key: key }
  const { file, env } = await withCredentials(JSON.stringify(content))
  return {
    ...vault,
    file,
    env,
    key,
    asked: () => vault.requests.filter(({ operation }) => operation !== 'getHealth'),
  }
}
