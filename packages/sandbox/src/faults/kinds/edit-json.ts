import type { Answer, EditKind, Exchange } from '../fault-kind.ts'

type Json = Record<string, unknown>

/** Builds an edit out of a change to a successful JSON object; `change` answers undefined to leave it alone. */
export function editJson(change: (json: Json, exchange: Exchange) => Json | undefined): EditKind['edit'] {
  return function edit(answer: Answer, exchange: Exchange) {
    if (answer.status !== 200 || !answer.body.startsWith('{')) return undefined
    const json: unknown = JSON.parse(answer.body)
    const changed = change({ ...(json as object) }, exchange)
    return changed && { ...answer, body: JSON.stringify(changed) }
  }
}

/** As `editJson`, for answers that hold an access token. */
export function editTokens(change: (tokens: Json, exchange: Exchange) => Json | undefined): EditKind['edit'] {
  return editJson((json, exchange) => ('access_token' in json ? change(json, exchange) : undefined))
}

export function without(json: Json, ...names: readonly string[]): Json {
  return Object.fromEntries(Object.entries(json).filter(([name]) => !names.includes(name)))
}
