import { createHash, timingSafeEqual } from 'node:crypto'

export type CallbackMatch = { genuine: true; redirectedUrl: string } | { genuine: false; reason: string }

/** As long as the vault takes. */
const maxLength = 16_384

/**
 * Whether a URL is the end of this authorization: at its redirect URI, with its state, and with a code or an error
 * (RFC 6749 section 4.1.2). What is in it otherwise is for the vault to judge.
 */
export function matchCallback(given: string, expected: { redirectUri: string; state: string }): CallbackMatch {
  if (given.length > maxLength) return stray('The address is longer than a redirected one can be.')
  if (!URL.canParse(given)) return stray('That is not an address.')
  const [url, own] = [new URL(given), new URL(expected.redirectUri)]
  if (url.origin !== own.origin || url.pathname !== own.pathname) {
    return stray(`The address to give begins with ${expected.redirectUri}?`)
  }
  const states = url.searchParams.getAll('state')
  if (states.length !== 1 || !sameState(states[0] ?? '', expected.state)) {
    return stray('The address belongs to another authorization: its state is not the one of this.')
  }
  if (!url.searchParams.has('code') && !url.searchParams.has('error')) {
    return stray('The address holds neither a code nor an error of the provider.')
  }
  return { genuine: true, redirectedUrl: given }
}

/** In a time that tells nothing about how much of it is right. */
function sameState(given: string, expected: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

function stray(reason: string): CallbackMatch {
  return { genuine: false, reason }
}
