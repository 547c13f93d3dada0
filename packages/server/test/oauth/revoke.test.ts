import { describe, expect, test } from 'vitest'
import { createRevoke } from '../../src/adapters/oauth/revoke.ts'
import { Secret } from '../../src/core/secret.ts'
import { clientOf, endpoints } from './support/clients.ts'
import { openDoor } from './support/doors.ts'
import { failureOf } from './support/failures.ts'
import { serve } from './support/serve.ts'

/** Revokes an access token at a provider that answers so. */
async function revokeUnder(status: number, body: string): Promise<'revoked' | 'gone'> {
  const { origin } = await serve((_request, response) => response.writeHead(status).end(body))
  const client = clientOf({ endpoints: { ...endpoints, revocation_endpoint: `${origin}/revoke` } })
  return createRevoke(openDoor())(client, new Secret('the-token'), 'access_token')
}

describe('a revocation', () => {
  test.each([400, 401, 403])('of a type that the provider does not revoke is unsupported (%i)', async (status) => {
    const body = '{"error":"unsupported_token_type","error_description":"Only refresh tokens"}'
    const failure = await failureOf(revokeUnder(status, body))
    expect(failure.kind).toBe('unsupported')
    expect(failure.message).toContain(`answered ${status} unsupported_token_type: Only refresh tokens`)
  })

  test('may be tried again when the provider is failing, whatever it says', async () => {
    expect((await failureOf(revokeUnder(503, '{"error":"unsupported_token_type"}'))).kind).toBe('passing')
  })

  test('of what is no token any more is done', async () => {
    expect(await revokeUnder(400, '{"error":"invalid_token"}')).toBe('gone')
    expect(await revokeUnder(200, '')).toBe('revoked')
  })
})
