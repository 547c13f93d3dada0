import type { Secret } from '../../core/secret.ts'

/**
 * What a provider wrote, fit to be shown to people and stored: one line of bounded length, without control or
 * invisible characters, without the secrets that were sent to it and without anything that looks like a token.
 * Undefined when nothing is left.
 */
export function printable(text: unknown, secrets: readonly Secret[] = [], maxLength = 200): string | undefined {
  if (typeof text !== 'string') return undefined
  // Bounded first, so that the work is; far above what is shown, so that no secret is cut in two and missed.
  let line = text.slice(0, 20_000)
  for (const secret of secrets) line = withoutSecret(line, secret.reveal())
  line = line
    .replace(/[\p{C}\p{Z}\s]+/gu, ' ')
    .replace(tokenCharacters, (run) => (looksRandom(run) ? '[…]' : run))
    .trim()
  if (line.length > maxLength) line = `${line.slice(0, maxLength - 1).trimEnd()}…`
  return line === '' ? undefined : line
}

/** An error code of a provider, or undefined when it does not look like one (RFC 6749 section 5.2, more narrowly). */
export function printableCode(code: unknown, secrets: readonly Secret[] = []): string | undefined {
  const text = printable(code, secrets, 64)
  return text && /^[A-Za-z0-9_.:-]+$/.test(text) ? text : undefined
}

/** An issuer that a provider names, as it spells it: the difference may be a slash. */
export function printableIssuer(issuer: string): string {
  return /^https?:\/\/[^\s?#@\p{C}]{1,200}$/u.test(issuer) ? issuer : (printable(issuer) ?? 'nothing readable')
}

const tokenCharacters = /[A-Za-z0-9_~+/=.-]{20,}/g

/**
 * Words carry no digits, and the UUIDs that support asks for have their own form; any other long run may be a token.
 * So may one of letters alone whose case changes more often than in joined words: of base64 tokens with 43
 * characters, one in 1,500 has no digit.
 */
function looksRandom(run: string): boolean {
  if (run.length >= 64 || (/\d/.test(run) && !uuid.test(run))) return true
  return (run.match(/[a-z][A-Z]/g)?.length ?? 0) >= 4
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.?$/i

function withoutSecret(text: string, secret: string): string {
  // So short a value would turn up by accident, and is no secret.
  if (secret.length < 4) return text
  const spellings = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]
  return spellings.reduce((left, spelling) => left.replaceAll(spelling, '[secret]'), text)
}
