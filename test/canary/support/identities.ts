import { expect } from 'vitest'
import { startIssuer, vaultAudience } from '../../../packages/server/test/support/oidc-issuer.ts'
import type { Scene } from './scenario.ts'

/** Tokens of another platform, taken and refused, and where somebody puts one by mistake. */
export async function exchangeTokens({ vault, watched, canaries }: Scene): Promise<void> {
  const issuer = await startIssuer()
  const exchange = (token: string, given: Record<string, string> = {}) =>
    watched.call('exchangeToken', {
      body: {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        ...given,
      },
    })
  const tokenOf = (what: string, changes: Record<string, unknown> = {}) => {
    const token = issuer.sign(issuer.githubClaims(changes))
    canaries.note(`OIDC token ${what}`, token)
    return token
  }
  try {
    const made = await watched.call('createTrust', {
      body: {
        name: 'deploy',
        preset: 'github',
        issuer: issuer.url,
        audience: [vaultAudience],
        claims: [{ claim: 'repository_id', values: ['456789'] }],
        permissions: ['token:read', 'connection:read'],
      },
    })
    expect(made.status).toBe(201)
    const token = tokenOf('that is taken')
    const issued = await exchange(token)
    expect(issued.status).toBe(200)
    expect((await watched.call('listConnections', {}, issued.body.access_token)).status).toBe(200)
    expect((await exchange(token)).status).toBe(401)
    expect((await exchange(tokenOf('of another repository', { repository_id: '1' }))).status).toBe(401)
    expect((await exchange(tokenOf('for another audience', { aud: 'https://else.example' }))).status).toBe(401)
    const forged = `${tokenOf('before it was changed').slice(0, -8)}AAAAAAAA`
    canaries.note('OIDC token with another signature', forged)
    expect((await exchange(forged)).status).toBe(401)
    const misplaced = tokenOf('in the wrong place')
    for (const field of ['trust', 'workspace', 'grant_type', 'actor_token']) {
      expect((await exchange(token, { [field]: misplaced })).status).toBe(400)
    }
    expect((await exchange(`${misplaced}${'x'.repeat(20_000)}`)).status).toBe(400)
    expect((await watched.call('listConnections', {}, misplaced)).status).toBe(401)
    const path = await fetch(`${vault.url}/v1/trusts/${misplaced}`, {
      headers: { authorization: `Bearer ${vault.credentials().api_key}` },
    })
    watched.answers.push(await path.text())
    issuer.failing = true
    const other = { iss: `${issuer.url}/down` }
    await watched.call('createTrust', {
      body: {
        name: 'down',
        issuer: other.iss,
        audience: [vaultAudience],
        claims: [{ claim: 'sub', values: ['nobody'] }],
        permissions: ['token:read'],
      },
    })
    expect((await exchange(tokenOf('whose issuer is down', other))).status).toBe(503)
    expect((await watched.call('revokeTrust', { params: { name: 'deploy' } })).status).toBe(200)
  } finally {
    await issuer.stop()
  }
}
