import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { expect, test } from 'vitest'
import { useVault } from '../support/vault.ts'

const v = useVault()

async function query(text: string, values: unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: v.databaseUrl })
  await client.connect()
  await client.query(text, values)
  await client.end()
}

test('the metrics tell what a rotation has left to do, and name no workspace', async () => {
  await v.createAuthorizedConnection()
  await query(
    `insert into data_keys (id, workspace_id, version, kek_id, wrapped)
    select gen_random_uuid(), id, 2, 'another', $1 from workspaces where name = 'default'`,
    [randomBytes(60)],
  )
  const { status, body } = await v.send('GET', '/metrics')
  expect(status).toBe(200)
  expect(body).toMatch(/^authconn_keys_to_rewrap 1$/m)
  // Client secret, access token and refresh token; what an authorization needs is gone when it is completed.
  expect(body).toMatch(/^authconn_values_to_reseal 3$/m)
})
