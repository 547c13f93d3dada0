import { AuthconnError } from '@authconn/sdk'
import type { Context } from './context.ts'
import { listConnections } from './list-connections.ts'
import { nearest } from './nearest.ts'
import { hintFor } from './output/hint.ts'

/** Milliseconds: a person waits for an error. */
const patience = 2000

/** The error, with the connection that was probably meant where it is that there is none of the name given. */
export async function suggestName(thrown: unknown, given: string | undefined, ctx: Context): Promise<unknown> {
  if (!(thrown instanceof AuthconnError) || thrown.code !== 'connection_not_found' || given === undefined)
    return thrown
  const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(patience)])
  // The key may permit to use one connection and not to list them; what is told then is the error alone.
  const connections = await listConnections({ ...ctx, signal }).catch(() => [])
  const meant = nearest(
    given,
    connections.map(({ name }) => name),
  )
  if (meant === undefined) return thrown
  const { code, detail, status, title, hint, requestId } = thrown
  return new AuthconnError(code, `${detail.replace(/\.?$/, '.')} Did you mean ${meant}?`, {
    ...{ status, title, hint, cause: thrown },
    ...(requestId === undefined ? {} : { requestId }),
  })
}

/** The same for a connection that is not the argument of the command, with its name also in what to do. */
export async function aboutConnection(thrown: unknown, name: string, ctx: Context): Promise<unknown> {
  const error = await suggestName(thrown, name, ctx)
  if (!(error instanceof AuthconnError)) return error
  const { code, detail, status, title, requestId, retryAfter } = error
  return new AuthconnError(code, detail, {
    ...{ status, title, hint: hintFor(error, name), cause: thrown },
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })
}
