import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Token } from '@authconn/shared'
import { type ErrorCode, errorTable } from '@authconn/shared/errors'
import { type AuthconnClient, type ClientOptions, createClient } from '../../src/index.ts'
import { answerJson, bodyOf, serve } from './serve.ts'

export interface ApiCall {
  method: string | undefined
  path: string | undefined
  authorization: string | undefined
  headers: IncomingHttpHeaders
  body: string
}

type Query = Record<string, string>

export interface World {
  client: AuthconnClient
  vaultUrl: string
  /** The origin of the API. */
  api: string
  /** What the API was sent. */
  calls: ApiCall[]
  /** The queries of the token fetches. */
  asked: Query[]
}

interface Answers {
  /** Instead of the token of version 1, and of version 2 when that was refused. */
  vault?: (query: Query) => RequestListener
  /** Instead of 401 to the token of version 1, and 200 to any other. */
  api?: (call: ApiCall, response: ServerResponse, request: IncomingMessage) => void
}

/** A vault and an API, both real HTTP servers. */
export async function createWorld(
  answers: Answers = {},
  settings: Pick<ClientOptions, 'reuseFor' | 'retries' | 'timeout'> = {},
): Promise<World> {
  const { vault = (query) => answerJson(200, token(query.rejected_version === '1' ? 2 : 1)), api = refuseFirst } =
    answers
  const asked: Query[] = []
  const vaultUrl = await serve((request, response) => {
    const query = Object.fromEntries(new URL(request.url ?? '', 'http://vault').searchParams)
    asked.push(query)
    vault(query)(request, response)
  })
  const calls: ApiCall[] = []
  const apiUrl = await serve(async (request, response) => {
    const { method, url: path, headers } = request
    const call = { method, path, headers, authorization: headers.authorization, body: await bodyOf(request) }
    calls.push(call)
    api(call, response, request)
  })
  return {
    client: createClient({ url: vaultUrl, apiKey: 'ak_test', reuseFor: 0, ...settings }),
    vaultUrl,
    api: apiUrl,
    calls,
    asked,
  }
}

export function token(version: number, changes: Partial<Token> = {}): Token {
  return { access_token: `at-${version}`, token_type: 'Bearer', expires_at: null, version, ...changes }
}

export function problem(code: ErrorCode): RequestListener {
  const { status, title, hint } = errorTable[code]
  return answerJson(status, { title, status, code, detail: `because of ${code}`, hint })
}

function refuseFirst({ authorization }: ApiCall, response: ServerResponse): void {
  if (authorization === 'Bearer at-1') response.writeHead(401).end('refused')
  else response.end('welcome')
}
