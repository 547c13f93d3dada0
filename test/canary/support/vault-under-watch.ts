import type { OperationName } from '@authconn/shared'
import type { startVaultProcess } from '../../../packages/server/test/support/vault-process.ts'
import type { Canaries } from './canaries.ts'

type Vault = Awaited<ReturnType<typeof startVaultProcess>>
type Call = Vault['call']

/** What an answer is there to bring, by operation: this is a canary too, and belongs there and nowhere else. */
const belongs: Partial<Record<OperationName, readonly string[]>> = {
  getToken: ['access_token', 'refresh_token'],
  createCaller: ['api_key'],
  rotateCaller: ['api_key'],
  createWorkspace: ['administrator.api_key'],
  exchangeToken: ['access_token'],
  startAuthorization: ['authorization_url', 'state'],
}

/** Calls a vault, notes as canaries what its answers are there to bring, and keeps all else that it answered. */
export function watchAnswers(vault: Vault, canaries: Canaries) {
  const answers: string[] = []
  const call: Call = async (name, ...rest) => {
    const answer = await vault.call(name, ...rest)
    const kept = structuredClone(answer.body)
    for (const path of answer.status < 300 ? (belongs[name] ?? []) : []) {
      const value = take(kept, path.split('.'))
      if (value !== undefined) noteValue(canaries, `${path} of ${name}`, value, answers.length)
    }
    answers.push(JSON.stringify([...answer.headers]), JSON.stringify(kept))
    return answer
  }
  return { call, answers }
}

function noteValue(canaries: Canaries, what: string, value: string, index: number): void {
  if (!what.startsWith('authorization_url')) {
    canaries.note(`${what} (answer ${index})`, value)
    return
  }
  const { searchParams } = new URL(value)
  for (const name of ['state', 'nonce']) {
    const given = searchParams.get(name)
    if (given) canaries.note(`${name} (answer ${index})`, given)
  }
}

/** Takes a value out of an object. */
function take(from: Record<string, unknown>, [name = '', ...rest]: string[]): string | undefined {
  const value = from[name]
  if (rest.length > 0) {
    return typeof value === 'object' && value !== null ? take(value as Record<string, unknown>, rest) : undefined
  }
  delete from[name]
  return typeof value === 'string' ? value : undefined
}
