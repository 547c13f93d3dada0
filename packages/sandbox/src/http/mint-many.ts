import { setImmediate as nextTurn } from 'node:timers/promises'
import { InvalidMintError, type Mint, type MintedTokens, type MintOptions } from '../provider/create-mint.ts'

const maximum = 5000

/** As many families as `count` says, 1 by default, each for the same account, scope and client. Throws InvalidMintError. */
export async function mintMany(mint: Mint, body: Record<string, unknown>): Promise<MintedTokens[]> {
  const { count = 1, account, scope, clientId, ...unknown } = body
  const [first] = Object.keys(unknown)
  if (first !== undefined) {
    throw new InvalidMintError(`Unknown member "${first}". Members: count, account, scope, clientId`)
  }
  if (!Number.isSafeInteger(count) || Number(count) < 1 || Number(count) > maximum) {
    throw new InvalidMintError(`"count" must be a whole number from 1 to ${maximum}`)
  }

  const tokens: MintedTokens[] = []
  while (tokens.length < Number(count)) {
    // The values are what somebody sent; `mint` checks them.
    tokens.push(await mint({ account, scope, clientId } as MintOptions))
    // Minting waits for nothing, so it would hold up all other requests.
    if (tokens.length % 100 === 0) await nextTurn()
  }
  return tokens
}
