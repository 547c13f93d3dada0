import type { GrantStatus, Permission } from '@authconn/shared'
import { CompiledQuery } from 'kysely'
import type { LastError } from '../../core/grant-port.ts'
import type { TokenLookup, TokenQuestion, TokenSight, TokenState } from '../../core/token-port.ts'
import { arrayText, bytesArrayText } from './array-text.ts'
import type { Database } from './database.ts'
import { often } from './often.ts'

/*
 * The statement of every fetch. It reads what is there now and nothing that was kept, so that a revocation holds for the
 * next request everywhere. What it is made of stands in migration 0009, and why it is a function.
 */
const text = often('select * from look_up_tokens($1, $2, $3, $4)')

interface Row {
  /** The place of the question, from 1. */
  n: number
  /** null for a key that is none. */
  caller: string | null
  /** When it is, where the caller is, which connection it is, and of a grant what else can hold no control character. */
  facts: string
  token_type: string
  scope: string | null
  access_token: Uint8Array | null
  refresh_token: Uint8Array | null
  last_error: LastError | null
}

export function createTokenLookup(db: Database): TokenLookup {
  const readCaller = createCallerReader()

  return async function lookUpTokens(questions) {
    const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(text, parameters(questions)))
    const now = toDate(rows[0]?.facts.split(unitSeparator, 1)[0] ?? '')
    const sights = questions.map((): TokenSight => ({ now }))
    for (const row of rows) fillIn(sights[row.n - 1], questions[row.n - 1], row)
    return sights
  }

  function fillIn(sight: TokenSight | undefined, question: TokenQuestion | undefined, row: Row): void {
    if (!sight || !question || row.caller === null) return
    sight.caller = readCaller(row.caller)
    const parts = row.facts.split(unitSeparator)
    const [, atHome, connectionId] = parts
    sight.atHome = atHome === 't'
    if (connectionId !== '') sight.connectionId = connectionId as string
    if (parts.length === partsWithoutGrant) return
    // The subject of the grant is that of the question: it was looked up by it.
    sight.grant = toState(sight.caller.workspaceId, question.subject, parts.slice(partsWithoutGrant), row)
  }
}

/**
 * What came back does not have the parts that it should: somebody has put a control character into the database where no
 * request could. It is of one question alone.
 */
export class UnreadableFacts extends Error {
  override readonly name = 'UnreadableFacts'
}

const partsWithoutGrant = 3

function parameters(questions: readonly TokenQuestion[]): unknown[] {
  return [
    bytesArrayText(questions.map(({ keyHash }) => keyHash)),
    arrayText(questions.map(({ connection }) => connection)),
    arrayText(questions.map(({ subject }) => subject)),
    arrayText(questions.map(({ address }) => address)),
  ]
}

const unitSeparator = '\x1f'
/** Callers whose text is remembered with what it says: some hundred bytes each. */
const mostRead = 5_000

type TokenCaller = NonNullable<TokenSight['caller']>

/** Reads the text of a caller, and the same text once: it comes with every fetch, and is as the database has it now. */
function createCallerReader(): (text: string) => TokenCaller {
  const read = new Map<string, TokenCaller>()
  return function readCaller(text) {
    const known = read.get(text)
    if (known) return known
    const caller = toCaller(text)
    if (read.size >= mostRead) read.clear()
    read.set(text, caller)
    return caller
  }
}

function toCaller(text: string): TokenCaller {
  const [id, workspaceId, name, permissions, connections, allSubjects, subjects, lastUsedAt] = exactly(
    8,
    text.split(unitSeparator),
  )
  // Frozen, as it is given for every request that brings the same text.
  return Object.freeze({
    id,
    workspaceId,
    name,
    permissions: Object.freeze(fromLines(permissions)) as Permission[],
    connections: Object.freeze(fromLines(connections)) as string[],
    subjects: allSubjects === 't' ? null : (Object.freeze(fromLines(subjects)) as string[]),
    lastUsedAt: toDateOrNull(lastUsedAt),
  })
}

function toState(workspaceId: string, subject: string, facts: readonly string[], row: Row): TokenState {
  const [
    id,
    status,
    refreshable,
    expiresAt,
    expiryAssumed,
    lifetime,
    generation,
    blocked,
    retryAt,
    rejections,
    lastRefreshedAt,
    lastUsedAt,
  ] = exactly(12, facts)
  return {
    id,
    workspaceId,
    subject,
    status: status as GrantStatus,
    accessToken: row.access_token,
    refreshable: refreshable === 't',
    refreshToken: row.refresh_token,
    tokenType: row.token_type,
    scope: row.scope,
    expiresAt: toDateOrNull(expiresAt),
    expiryAssumed: expiryAssumed === 't',
    lifetime: lifetime === '' ? null : Number(lifetime),
    generation: Number(generation),
    blocked: blocked === 't',
    retryAt: toDateOrNull(retryAt),
    rejections: Number(rejections),
    lastRefreshedAt: toDateOrNull(lastRefreshedAt),
    lastUsedAt: toDateOrNull(lastUsedAt),
    lastError: row.last_error,
  }
}

/** As many texts as the function writes; a value that is not there is an empty one. Throws UnreadableFacts. */
function exactly<N extends number>(count: N, parts: readonly string[]): Parts<N> {
  if (parts.length !== count) throw new UnreadableFacts(`${parts.length} parts came, and not ${count}`)
  return parts as unknown as Parts<N>
}

type Parts<N extends number, T extends string[] = []> = T['length'] extends N ? T : Parts<N, [...T, string]>

/** Seconds since 1970, as text. */
function toDate(seconds: string): Date {
  return new Date(Math.round(Number(seconds) * 1000))
}

function toDateOrNull(seconds: string): Date | null {
  return seconds === '' ? null : toDate(seconds)
}

function fromLines(text: string): string[] {
  return text === '' ? [] : text.split('\n')
}
