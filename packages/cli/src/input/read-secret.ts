import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { AuthconnError } from '@authconn/sdk'
import type { Context } from '../context.ts'
import { clientSecret } from './answer-rules.ts'
import { askSecret } from './prompts.ts'

const maxBytes = 64 * 1024

/** Where a secret is to come from; undefined when no flag says. Throws usage when both do. */
export function secretSource(flags: { clientSecret?: string | undefined; clientSecretFile?: string | undefined }) {
  const { clientSecret: value, clientSecretFile: file } = flags
  if (value !== undefined && file !== undefined) {
    throw new AuthconnError('usage', 'Give --client-secret or --client-secret-file, not both.')
  }
  if (value === '-' || file === '-') return { from: 'stdin' } as const
  if (file !== undefined) return { from: 'file', file } as const
  if (value !== undefined) return { from: 'flag', value } as const
  return undefined
}

/** The secret itself, less the one line break that editors and `echo` add. Throws usage; no error holds the secret. */
export async function readSecret(
  ctx: Context,
  source: NonNullable<ReturnType<typeof secretSource>>,
): Promise<string> {
  switch (source.from) {
    case 'flag':
      ctx.warn(
        'a secret on the command line stays in the shell history and is visible to other processes. ' +
          'Prefer --client-secret-file, or - for standard input.',
      )
      return checked(source.value, '--client-secret')
    case 'file':
      return checked(await readTextFile(ctx, source.file, 'client secret'), source.file)
    case 'stdin':
      // Typed into a terminal it would be shown; asked for, it is not.
      if (ctx.stdin.isTTY) return askSecret(ctx, 'Client secret', clientSecret)
      return checked(await readAll(ctx.stdin, 'Standard input', 'client secret', ctx.signal), 'Standard input')
  }
}

/** A file of at most 64 kB, less one line break at its end. Throws usage; `what` says what was to be in it. */
export async function readTextFile(ctx: Pick<Context, 'signal'>, file: string, what: string): Promise<string> {
  return readAll(createReadStream(file, { signal: ctx.signal }), file, what)
}

/** The same of a stream. */
export async function readAll(
  stream: Readable,
  name: string,
  what: string,
  signal?: AbortSignal,
): Promise<string> {
  const stop = () => stream.destroy()
  signal?.addEventListener('abort', stop)
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk)
      size += bytes.length
      if (size > maxBytes) throw new AuthconnError('usage', `${name} holds more than a ${what} can be.`)
      chunks.push(bytes)
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof AuthconnError || !(error instanceof Error)) throw error
    throw new AuthconnError('usage', `The ${what} cannot be read: ${error.message}`, { cause: error })
  } finally {
    signal?.removeEventListener('abort', stop)
  }
  // A stream that is stopped may end as if it were complete.
  signal?.throwIfAborted()
  return decode(Buffer.concat(chunks), name).replace(/\r?\n$/, '')
}

function decode(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new AuthconnError('usage', `${name} is not text in UTF-8.`, { cause })
  }
}

function checked(secret: string, name: string): string {
  if (secret === '') throw new AuthconnError('usage', `${name} holds no client secret: it is empty.`)
  return secret
}
