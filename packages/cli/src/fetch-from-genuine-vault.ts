import { randomBytes, timingSafeEqual } from 'node:crypto'
import { AuthconnError } from '@authconn/sdk'
import { type LocalCredentials, proveVault } from '@authconn/shared/local'
import { routes } from '@authconn/shared/routes'
import { quickFetch } from './quick-fetch.ts'

/** Milliseconds; the vault is on this machine. */
const patience = 5000
const maxBytes = 4096

/**
 * A fetch that sends nothing before the server has proven to be the vault that wrote the credentials: when that vault
 * has stopped, any program of any user of this machine may listen on its port and would be given the API key.
 * It asks before every request, since minutes may lie between them. Throws vault_not_genuine and vault_unreachable.
 */
export function fetchFromGenuineVault(
  { url, proof_key }: Pick<LocalCredentials, 'url' | 'proof_key'>,
  file: string,
): typeof fetch {
  return async (input, init) => {
    const challenge = randomBytes(32).toString('base64url')
    const proof = await ask(url, challenge, init?.signal ?? undefined)
    if (proof === undefined || !sameText(proof, proveVault(proof_key, challenge))) {
      throw new AuthconnError('vault_not_genuine', `What answers at ${url} is not the vault that wrote ${file}.`)
    }
    return quickFetch(input, init)
  }
}

/** What the server says to the challenge; undefined when it is nothing that a vault would say. */
async function ask(base: string, challenge: string, signal?: AbortSignal): Promise<string | undefined> {
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/$/, '')}${routes.getHealth[1]}`
  url.searchParams.set('challenge', challenge)
  const late = AbortSignal.timeout(patience)
  try {
    const response = await quickFetch(url, {
      signal: signal ? AbortSignal.any([signal, late]) : late,
    })
    return readProof(await readStart(response))
  } catch (error) {
    if (!late.aborted || signal?.aborted) throw error
    throw new AuthconnError('vault_unreachable', `${base}: no answer within ${patience / 1000} seconds`)
  }
}

/** The body, or an empty text where it is longer than the answer of a vault. */
async function readStart(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop early cancels the stream.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) return ''
    chunks.push(chunk)
  }
  return response.ok ? Buffer.concat(chunks).toString('utf8') : ''
}

function readProof(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('proof' in value)) return undefined
    return typeof value.proof === 'string' ? value.proof : undefined
  } catch {
    return undefined
  }
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
