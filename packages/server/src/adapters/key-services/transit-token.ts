import { readFile } from 'node:fs/promises'
import type { TransitAccess } from '../../core/crypto/kek-source.ts'
import { Secret } from '../../core/secret.ts'
import { findText, getText } from './answer-field.ts'
import { KeyServiceFailure } from './key-service.ts'

type Send = (path: string, body: object, signal: AbortSignal) => Promise<{ status: number; body: unknown }>

interface TransitToken {
  /** Throws KeyServiceFailure. */
  get(signal: AbortSignal): Promise<Secret | undefined>
  /** After a refusal: whether asking again may give another token. */
  forget(): boolean
}

export function createTransitToken(access: TransitAccess, send: Send): TransitToken {
  let known: { token: Secret; until: number } | undefined

  return {
    async get(signal) {
      if (access.tokenFile !== undefined) return new Secret(await readText(access.tokenFile))
      if (access.login === undefined) return access.token
      if (!known || known.until < performance.now()) known = await logIn(access.login, send, signal)
      return known.token
    },
    forget() {
      if (!known) return false
      known = undefined
      return true
    },
  }
}

async function logIn(
  { mount, role, jwtFile }: NonNullable<TransitAccess['login']>,
  send: Send,
  signal: AbortSignal,
): Promise<{ token: Secret; until: number }> {
  const { status, body } = await send(`auth/${mount}/login`, { role, jwt: await readText(jwtFile) }, signal)
  if (status !== 200) {
    const reason = findText(body, 'errors', '0')?.slice(0, 400) ?? 'it gives no reason'
    throw new KeyServiceFailure(
      status === 429 || status >= 500 ? 'passing' : 'refused',
      `login: ${status}: ${reason}`,
    )
  }
  const token = new Secret(getText(body, 'auth', 'client_token'))
  const seconds = Number((body as { auth: { lease_duration?: unknown } }).auth.lease_duration)
  // Left before its end; 0 is without an end.
  return { token, until: seconds > 0 ? performance.now() + seconds * 800 : Number.POSITIVE_INFINITY }
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new KeyServiceFailure('passing', `${path} cannot be read (${code})`)
  }
}
