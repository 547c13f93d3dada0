import { hash } from 'node:crypto'
import { audienceOf } from '@authconn/sdk'

/**
 * The nonce of an ID token that is meant for one vault and for no other: whoever is shown the token can redeem it at that
 * vault only, which goes by its own URL and wants the secret. Never by a URL that a vault says it has.
 */
export function loginNonce(secret: string, vaultUrl: string): string {
  return hash('sha256', secret + audienceOf(vaultUrl), 'base64url')
}
