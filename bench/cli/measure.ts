import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url))

export interface Round {
  /** `node -e 0`, the baseline of the same round. */
  node: number
  version: number
  token: number
  /** Completing the name of a connection, which asks the vault. */
  complete: number
  /** The same fetch from a process that runs already, on a new connection. */
  vault: number
}

/** Milliseconds of each, one after the other, so that what else the machine does meets all alike. */
export async function measureRound(vault: { url: string; apiKey: string; tokenPath: string }): Promise<Round> {
  const env = { AUTHCONN_URL: vault.url, AUTHCONN_API_KEY: vault.apiKey }
  return {
    node: await timed(['-e', '0'], {}),
    version: await timed([program, '--version'], {}),
    token: await timed([program, 'token', 'bench'], env),
    complete: await timed([program, '__complete', '--', 'token', ''], env),
    vault: await timeFetch(`${vault.url}${vault.tokenPath}`, vault.apiKey),
  }
}

async function timed(args: string[], env: Record<string, string>): Promise<number> {
  const started = performance.now()
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += String(chunk)
  })
  const [code] = await once(child, 'close')
  const elapsed = performance.now() - started
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${errors}`)
  return elapsed
}

async function timeFetch(url: string, apiKey: string): Promise<number> {
  const started = performance.now()
  const headers = { authorization: `Bearer ${apiKey}`, connection: 'close' }
  const response = await fetch(url, { headers })
  await response.text()
  if (!response.ok) throw new Error(`${url} answered with ${response.status}`)
  return performance.now() - started
}
