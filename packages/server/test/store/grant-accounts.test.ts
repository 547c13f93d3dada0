import { expect, test } from 'vitest'
import { places } from '../../src/core/crypto/places.ts'
import { Secret } from '../../src/core/secret.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleTokens, useStores } from '../support/stores.ts'

const nobody = { id: null, email: null, login: null, name: null, company: null }
const ann = { ...nobody, email: 'ann@example.com' }

describeEachDatabase('the account of a grant', (database) => {
  const stores = useStores(database)

  async function authorize(
    connection: Awaited<ReturnType<typeof stores.newConnection>>,
    about?: Parameters<typeof stores.authorizations.complete>[3],
  ) {
    const { id } = await stores.ensureGrant(connection)
    const authorization = await stores.newAuthorization(connection)
    const tokens = {
      ...exampleTokens,
      ...(await sealed(id, connection.workspaceId)),
    }
    expect(await stores.authorizations.complete(authorization, id, tokens, about)).toBe('stored')
    const found = await stores.grants.findById(id)
    if (!found) throw new Error('the grant was not stored')
    return found.grant
  }

  async function sealed(id: string, workspaceId: string) {
    const row = { id, workspaceId }
    return {
      accessToken: await stores.keyring.seal(places.accessToken(row), new Secret('a')),
      refreshToken: await stores.keyring.seal(places.refreshToken(row), new Secret('r')),
    }
  }

  test('comes with the tokens, with what else was said of them', async () => {
    const grant = await authorize(await stores.newConnection(), { account: ann, metadata: { realm_id: '9' } })
    expect(grant).toMatchObject({ account: ann, metadata: { realm_id: '9' } })
  })

  test('is forgotten by another authorization that does not say', async () => {
    const connection = await stores.newConnection()
    await authorize(connection, { account: ann, metadata: { realm_id: '9' } })
    expect(await authorize(connection)).toMatchObject({ account: null, metadata: {} })
  })

  test('is kept when it comes later, and not of an authorization before', async () => {
    const connection = await stores.newConnection()
    const first = await authorize(connection)
    expect(await stores.grants.setAccount(first, ann)).toBe(true)
    expect((await stores.grants.findById(first.id))?.grant.account).toEqual(ann)
    const second = await authorize(connection)
    expect(await stores.grants.setAccount(first, { ...nobody, email: 'bob@example.com' })).toBe(false)
    expect(second.account).toBeNull()
    expect((await stores.grants.findById(first.id))?.grant.account).toBeNull()
  })
})
