import type { Account, AccountLookup } from '@authconn/shared'
import type { AuthorizedTokens } from '../../core/oauth-port.ts'
import type { Secret } from '../../core/secret.ts'
import type { AnswerFields } from './answer-fields.ts'
import { atPath } from './json-path.ts'
import { findCatalogEntry } from './providers.ts'

/** What the callback and the token answer tell besides the tokens, as far as the catalog declares it. */
export function readAbout(
  provider: string | null,
  fields: AnswerFields,
  callback: URLSearchParams,
): Pick<AuthorizedTokens, 'metadata' | 'account'> {
  const entry = findCatalogEntry(provider)
  if (!entry) return { metadata: {}, account: null }
  const answer = Object.fromEntries(fields)
  const fromCallback = Object.entries(entry.callback_metadata ?? {}).map(
    ([name, as]) => [as, callback.get(name)] as const,
  )
  const { account } = entry
  return {
    metadata: { ...facts(fromCallback), ...readTokenMetadata(provider, fields) },
    account: account?.source === 'token_answer' ? readAccount(answer, account) : null,
  }
}

/** What a token answer alone tells of it: a refresh may bring what has changed. */
export function readTokenMetadata(provider: string | null, fields: AnswerFields): Record<string, string> {
  const answer = Object.fromEntries(fields)
  const paths = Object.entries(findCatalogEntry(provider)?.token_metadata ?? {})
  return facts(paths.map(([path, as]) => [as, atPath(answer, path)] as const))
}

function facts(found: readonly (readonly [name: string, value: unknown])[]): Record<string, string> {
  const readable = found.flatMap(([name, value]) => {
    const text = readFact(value)
    return text === null ? [] : [[name, text]]
  })
  return Object.fromEntries(readable)
}

/** The account in an answer; null where the answer has nothing of it. */
export function readAccount(
  answer: unknown,
  paths: Partial<Pick<AccountLookup, keyof Account>>,
  token?: Secret,
): Account | null {
  const read = (path: string | undefined) => {
    const fact = path === undefined ? null : readFact(atPath(answer, path))
    // Shown to whoever may see the connection, and kept as it is.
    return fact !== null && token !== undefined && fact.includes(token.reveal()) ? null : fact
  }
  const account = {
    id: read(paths.id),
    email: read(paths.email),
    login: read(paths.login),
    name: read(paths.name),
    company: read(paths.company),
  }
  return Object.values(account).some((value) => value !== null) ? account : null
}

const longestFact = 255

/** One short line, or null: what is longer, or holds what no terminal or database should see, is none. */
function readFact(value: unknown): string | null {
  const text = typeof value === 'number' && Number.isFinite(value) ? String(value) : value
  if (typeof text !== 'string' || text.trim() === '' || text.length > longestFact) return null
  return /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text) ? null : text.trim()
}
