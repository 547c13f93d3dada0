import { connect, createServer, type Socket } from 'node:net'
import { expect, inject, onTestFinished, test } from 'vitest'
import { temporaryDatabase } from '../support/temporary-database.ts'
import { startVaultProcess, temporaryDirectory } from '../support/vault-process.ts'

/** A way to the database that can be cut and mended. */
async function startWire(databaseUrl: string) {
  const to = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let cut = false
  const server = createServer((client) => {
    if (cut) return void client.destroy()
    const database = connect(Number(to.port), to.hostname)
    for (const socket of [client, database]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
    }
    client.pipe(database).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = new URL(databaseUrl)
  url.port = typeof address === 'object' ? String(address?.port) : ''
  url.hostname = '127.0.0.1'
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: url.href,
    cut() {
      cut = true
      destroyAll()
    },
    mend() {
      cut = false
    },
    close() {
      server.close()
      destroyAll()
    },
  }
}

test('without its database the vault answers 503 with Retry-After, and recovers by itself', async () => {
  const database = temporaryDatabase(inject('postgresUrl'))
  await database.create()
  onTestFinished(database.drop)
  const wire = await startWire(database.url)
  onTestFinished(wire.close)
  const vault = await startVaultProcess({ AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: wire.url })
  expect((await vault.call('listConnections')).status).toBe(200)

  wire.cut()
  for (let i = 0; i < 3; i++) {
    const answer = await vault.call('listConnections')
    expect(answer).toMatchObject({ status: 503, body: { code: 'database_unavailable' } })
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  }
  expect(await vault.call('getReadiness')).toMatchObject({ status: 503, body: { code: 'not_ready' } })
  expect((await vault.call('getHealth')).status).toBe(200)

  wire.mend()
  await expect.poll(async () => (await vault.call('getReadiness')).status).toBe(200)
  expect((await vault.call('listConnections')).status).toBe(200)
  expect(await vault.end('SIGTERM')).toBe(0)
})
