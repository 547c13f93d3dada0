import { expect, test } from 'vitest'
import { createCreateConnection } from '../../src/core/connections/create-connection.ts'
import type { OAuth } from '../../src/core/oauth-port.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { useStores } from '../support/stores.ts'

describeEachDatabase('creating a connection', (database) => {
  const stores = useStores(database)

  test('answers what was created, also when somebody deletes it at the same moment', async () => {
    const oauth: Pick<OAuth, 'resolveProvider' | 'assertionHabits'> = {
      async resolveProvider() {
        return {
          provider: null,
          providerUrl: 'https://idp.example',
          issuer: null,
          endpoints: { authorization_endpoint: 'https://idp.example/a', token_endpoint: 'https://idp.example/t' },
          tokenEndpointAuthMethod: 'client_secret_basic',
          issParameterSupported: false,
          authorizationParameters: {},
        }
      },
      assertionHabits: () => ({ audience: null, subject: 'issuer', scope_claim: false, lifetime: 120 }),
    }
    const create = createCreateConnection({
      keyring: stores.keyring,
      oauth,
      connections: {
        ...stores.connections,
        async insert(connection) {
          const inserted = await stores.connections.insert(connection)
          if (inserted) await stores.connections.markDeleted(inserted.id)
          return inserted
        },
      },
    })
    const wanted = { provider_url: 'https://idp.example', client_id: 'client', client_secret: 'secret' }
    const { connection, grant, now } = await create(stores.admin, { name: 'short-lived', ...wanted })
    expect(connection).toMatchObject({ name: 'short-lived', providerUrl: 'https://idp.example' })
    expect(grant).toBeUndefined()
    expect(now).toEqual(connection.createdAt)
  })
})
