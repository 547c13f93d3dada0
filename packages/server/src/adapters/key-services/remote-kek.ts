import { timingSafeEqual } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KeyEncryptionKey } from '../../core/crypto/key-encryption-key.ts'
import { AuthconnError } from '../../core/errors.ts'
import { type Binding, type KeyService, KeyServiceFailure } from './key-service.ts'

export interface Patience {
  /** Milliseconds for one attempt. */
  attemptMs: number
  /** Milliseconds before each attempt after the first. */
  pausesMs: readonly number[]
  /** Milliseconds for which nothing is asked after all attempts failed, at first and at most. */
  restMs: { first: number; longest: number }
  /** Milliseconds of a clock that never goes back. */
  clock(): number
}

const usualPatience: Patience = {
  attemptMs: 5000,
  pausesMs: [200, 800],
  restMs: { first: 1000, longest: 15_000 },
  clock: () => performance.now(),
}

/**
 * A key-encryption key in a key service. What passes is tried again, within 17 seconds in all; who asks for the same data
 * key at the same time shares one call; after a failure the service is left alone for a while, in which the answer is
 * known. Throws kms_unavailable, kms_refused, key_encryption_key_wrong.
 */
export function createRemoteKek(
  id: string,
  service: KeyService,
  patience: Patience = usualPatience,
): KeyEncryptionKey {
  const call = createCall(service, patience)
  const unwrapping = new Map<string, Promise<Uint8Array>>()

  return {
    id,
    async wrap(workspaceId, dataKeyId, bytes) {
      const binding = { workspace: workspaceId, dataKey: dataKeyId }
      const wrapped = await call(binding, (signal) => service.wrap(bytes, binding, signal))
      // Before anything is sealed under it: an identity that may encrypt and not decrypt would lose it all.
      await call(binding, (signal) => readBack(service, wrapped, binding, bytes, signal))
      return wrapped
    },
    unwrap({ id: dataKeyId, workspaceId, wrapped }) {
      const binding = { workspace: workspaceId, dataKey: dataKeyId }
      const key = `${workspaceId} ${dataKeyId} ${Buffer.from(wrapped).toString('base64')}`
      const known = unwrapping.get(key)
      if (known) return known
      const work = call(binding, (signal) => service.unwrap(wrapped, binding, signal))
      unwrapping.set(key, work)
      const forget = () => unwrapping.delete(key)
      work.then(forget, forget)
      return work
    },
  }
}

/** Whatever comes back wrong now says nothing against a data key, and much against the service. */
async function readBack(
  service: KeyService,
  wrapped: Uint8Array,
  binding: Binding,
  expected: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const opened = await service.unwrap(wrapped, binding, signal).catch((error) => {
    if (!(error instanceof KeyServiceFailure && error.kind === 'wrong')) throw error
    throw new KeyServiceFailure('refused', `It does not unwrap what it has wrapped: ${error.message}`)
  })
  if (opened.length !== expected.length || !timingSafeEqual(opened, expected)) {
    throw new KeyServiceFailure('refused', 'It unwraps something else than was wrapped')
  }
}

function createCall(service: KeyService, { attemptMs, pausesMs, restMs, clock }: Patience) {
  let failures = 0
  let restingUntil = 0

  return async function call<T>(binding: Binding, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const left = restingUntil - clock()
    if (left > 0) {
      throw toError(service, binding, new KeyServiceFailure('passing', 'It failed a moment ago'), left)
    }
    let outcome = await attempt(work, attemptMs)
    for (const pause of pausesMs) {
      // What it refuses it answers, and will again.
      if (!isPassing(outcome)) break
      await sleep(pause * (0.5 + Math.random()))
      outcome = await attempt(work, attemptMs)
    }
    if (!(outcome instanceof KeyServiceFailure)) {
      failures = 0
      restingUntil = 0
      return outcome.result
    }
    if (!isPassing(outcome)) throw toError(service, binding, outcome, 0)
    // Calls that were under way together fail together, and are one failure.
    if (clock() >= restingUntil) {
      restingUntil = clock() + Math.min(restMs.first * 2 ** failures, restMs.longest)
      failures++
    }
    throw toError(service, binding, outcome, restingUntil - clock())
  }
}

function isPassing(outcome: unknown): boolean {
  return outcome instanceof KeyServiceFailure && outcome.kind === 'passing'
}

/** Anything but a failure of the service is a defect of ours, and is thrown as such. */
async function attempt<T>(
  work: (signal: AbortSignal) => Promise<T>,
  ms: number,
): Promise<{ result: T } | KeyServiceFailure> {
  const signal = AbortSignal.timeout(ms)
  try {
    return { result: await orAborted(work(signal), signal) }
  } catch (error) {
    if (signal.aborted) return new KeyServiceFailure('passing', `No answer within ${ms / 1000} s`)
    if (error instanceof KeyServiceFailure) return error
    throw error
  }
}

/** Clients look at a signal when they send; while they look for credentials they may not. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}

/** The detail of the failure, which names keys and identities, is the cause: for the log, and not for callers. */
function toError(
  { title }: KeyService,
  { dataKey }: Binding,
  failure: KeyServiceFailure,
  restMs: number,
): AuthconnError {
  switch (failure.kind) {
    case 'passing':
      return new AuthconnError('kms_unavailable', `${title} does not answer`, {
        cause: failure,
        retryAfter: Math.max(1, Math.ceil(restMs / 1000)),
      })
    case 'refused':
      return new AuthconnError('kms_refused', `${title} refuses to use the key-encryption key`, { cause: failure })
    case 'wrong':
      return new AuthconnError('key_encryption_key_wrong', `Data key ${dataKey} does not unwrap by ${title}`, {
        cause: failure,
      })
  }
}
