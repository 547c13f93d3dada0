import { stat } from 'node:fs/promises'
import { type AuthconnClient, AuthconnError } from '@authconn/sdk'
import type { Self } from '@authconn/shared'
import { clientOf } from '../connect-to-vault.ts'
import type { Context } from '../context.ts'
import { duration, timeLeft } from '../output/time.ts'
import { type FoundVault, findVault } from '../profiles/find-vault.ts'
import type { Check } from './check.ts'
import { checkIdentity } from './check-identity.ts'

/** Seconds; a clock that is further off is told, and one that is much further off breaks things. */
const tolerated = { offset: 10, broken: 300 }
/** Milliseconds in a week. */
const soon = 604_800_000

export interface VaultFindings {
  checks: Check[]
  /** undefined: there is none to ask anything further. */
  vault: AuthconnClient | undefined
  self: Self | undefined
}

/** Whether the vault is known, there, of the same time, and takes the key. Never throws but for an interruption. */
export async function checkVault(ctx: Context): Promise<VaultFindings> {
  const checks: Check[] = []
  const found = await attempt(ctx, checks, 'configuration', () => findVault(ctx.env, ctx.wanted, ctx.openKeychain))
  if (found === undefined) return { checks, vault: undefined, self: undefined }
  const { credential } = found
  checks.push({
    name: 'configuration',
    status: 'ok',
    detail: `${found.url}, from ${found.from}; key from ${credential.from}`,
  })
  checks.push(
    credential.platform
      ? await checkIdentity(found, credential.platform, ctx.signal)
      : await checkKeyFile(ctx, credential.from),
  )
  const clock = watchClock(found.fetch)
  const vault = await attempt(ctx, checks, 'vault', () => reach(ctx, found, clock.fetch))
  if (vault === undefined) return { checks, vault: undefined, self: undefined }
  checks.push({ name: 'vault', status: 'ok', detail: `${found.url} answers in ${clock.milliseconds()} ms` })
  checks.push(judgeClock(clock.offset()))
  const ready = await attempt(ctx, checks, 'readiness', () =>
    vault.call('getReadiness', {}, { signal: ctx.signal }),
  )
  if (ready) checks.push({ name: 'readiness', status: 'ok', detail: 'its database answers' })
  const self = await attempt(ctx, checks, 'API key', () => vault.call('getSelf', {}, { signal: ctx.signal }))
  if (self) checks.push(judgeKey(self))
  return { checks, vault, self }
}

async function attempt<T>(
  ctx: Context,
  checks: Check[],
  name: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (!(error instanceof AuthconnError)) throw error
    checks.push({ name, status: 'failed', detail: `${error.detail} [${error.code}]`, hint: error.hint })
    return undefined
  }
}

async function reach(ctx: Context, found: FoundVault, send: typeof fetch): Promise<AuthconnClient> {
  const vault = clientOf(found, { fetch: send, timeout: 10_000 })
  await vault.call('getHealth', {}, { signal: ctx.signal })
  return vault
}

/** What the Date of an answer says, which is in whole seconds, beside the middle of the time it took. */
function watchClock(send: typeof fetch) {
  let seen: { offset: number | undefined; milliseconds: number } | undefined
  const watched: typeof fetch = async (input, init) => {
    const before = Date.now()
    const response = await send(input, init)
    const after = Date.now()
    const date = Date.parse(response.headers.get('date') ?? '')
    const offset = Number.isNaN(date) ? undefined : (date + 500 - (before + after) / 2) / 1000
    seen ??= { offset, milliseconds: after - before }
    return response
  }
  return { fetch: watched, offset: () => seen?.offset, milliseconds: () => seen?.milliseconds ?? 0 }
}

/** In seconds, how far the vault's clock is ahead of this machine's. */
export function judgeClock(offset: number | undefined): Check {
  const name = 'clock'
  if (offset === undefined)
    return { name, status: 'skipped', detail: 'the answer does not say what time it is there' }
  const off = Math.round(Math.abs(offset))
  if (off <= tolerated.offset) return { name, status: 'ok', detail: 'within seconds of that of the vault' }
  return {
    name,
    status: off > tolerated.broken ? 'failed' : 'warning',
    detail: `the vault is ${duration(off)} ${offset > 0 ? 'ahead of' : 'behind'} this machine`,
    hint: 'Synchronize both clocks (NTP): signed requests, ID tokens and codes are refused by providers when the vault is off, and times shown here are wrong when this machine is.',
  }
}

/** Private files of ours were refused already if others may read them; this one is of somebody else's making. */
async function checkKeyFile(ctx: Context, key: string): Promise<Check> {
  const name = 'key file'
  const file = key === 'AUTHCONN_API_KEY_FILE' ? ctx.env.AUTHCONN_API_KEY_FILE : undefined
  if (file === undefined) {
    const isFile = /[\\/]/.test(key)
    return isFile
      ? { name, status: 'ok', detail: `${key} is for its owner alone` }
      : { name, status: 'skipped', detail: `the key is in no file, but from ${key}` }
  }
  const { mode } = await stat(file)
  if (process.platform === 'win32' || (mode & 0o077) === 0) {
    return { name, status: 'ok', detail: `${file} is for its owner alone` }
  }
  const octal = (mode & 0o777).toString(8).padStart(4, '0')
  return {
    name,
    status: 'warning',
    detail: `${file} has mode ${octal}: others can read it`,
    hint: `chmod 600 ${file}, and rotate the key: \`authconn callers rotate\`.`,
  }
}

export function judgeKey(self: Self, now = new Date()): Check {
  const { permissions, expires_at: end, workspace, trust } = self
  const detail = `${self.name} in the workspace ${workspace} may ${permissions.join(', ')}`
  // Made for a job, a pod or a login, and short-lived on purpose.
  if (end !== null && trust !== null) {
    return { name: 'API key', status: 'ok', detail: `${detail}; it ends in ${timeLeft(end, now)}` }
  }
  if (end !== null && Date.parse(end) - now.getTime() < soon) {
    return {
      name: 'API key',
      status: 'warning',
      detail: `${detail}; it expires in ${timeLeft(end, now)}`,
      hint: 'Make a caller that lasts longer: `authconn callers create`.',
    }
  }
  return { name: 'API key', status: 'ok', detail }
}
