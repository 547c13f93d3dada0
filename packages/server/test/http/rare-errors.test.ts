import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noteAnswer } from '../../../../test/support/provoked-errors.ts'
import { askDatabase } from '../support/ask-database.ts'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault({ environment: { AUTHCONN_PROVIDER_HOSTS: 'localhost' } })
let port: number
beforeAll(async () => {
  await v.vault.app.listen({ host: '127.0.0.1', port: 0 })
  const address = v.vault.app.server.address()
  port = typeof address === 'object' ? (address?.port ?? 0) : 0
})
afterAll(() => v.vault.app.server.closeAllConnections())

test('a provider at a host that the operator has not listed is refused', async () => {
  const body = { name: 'elsewhere', provider_url: 'https://idp.example', client_id: 'c', client_secret: 's' }
  expectProblem(await v.call('createConnection', { body }), 400, 'provider_host_not_allowed')
})

test('a request with more headers than the vault reads is refused', async () => {
  const sent = request({
    host: '127.0.0.1',
    port,
    path: '/healthz',
    headers: { cookie: 'a'.repeat(20_000) },
  }).end()
  const [response] = await once(sent, 'response')
  const answer = { status: response.statusCode, headers: response.headers, body: JSON.parse(await text(response)) }
  noteAnswer(answer)
  expectProblem(answer, 431, 'headers_too_large')
})

test('what the vault did not reckon with is told as its own failure, and nothing of it', async () => {
  await askDatabase(v.databaseUrl, 'alter table connections rename to hidden')
  const answer = await v.call('listConnections')
  await askDatabase(v.databaseUrl, 'alter table hidden rename to connections')
  expectProblem(answer, 500, 'internal_error')
  expect(JSON.stringify(answer.body)).not.toMatch(/relation|does not exist/)
  expect((await v.call('listConnections')).status).toBe(200)
})
