import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keepServer } from './keep-server.ts'
import { findPgbouncer } from './pgbouncer.ts'

// Started by startPgbouncer.

const { PGBOUNCER_DATABASE_URL = '', PGBOUNCER_POOL_SIZE = '' } = process.env

await keepServer('pgbouncer', async ({ directory, account, listen }) => {
  const program = findPgbouncer()
  if (program === undefined) throw new Error('there is no pgbouncer in PATH or /usr/sbin')
  const database = new URL(PGBOUNCER_DATABASE_URL)
  const users = join(directory, 'users')
  const settings = join(directory, 'pgbouncer.ini')

  async function writePrivately(path: string, text: string): Promise<void> {
    await writeFile(path, text, { mode: 0o600 })
    if (account) await chown(path, account.uid, account.gid)
  }

  // The password as it is, with which PgBouncer can both check a client's SCRAM proof and make its own.
  await writePrivately(users, [database.username, database.password].map(quoted).join(' '))
  const port = await listen({
    command: async (freePort) => {
      await writePrivately(settings, settingsFor(freePort, database, users))
      return [program, settings]
    },
    readyWords: 'process up',
    // Its milder signals mean something else in each version, down to waiting for its clients to leave.
    endSignal: 'SIGKILL',
  })
  return Object.assign(new URL(database), { hostname: '127.0.0.1', port: String(port) }).href
})

/** Parts of a URL are percent-encoded; PgBouncer doubles a quote to have it stand for itself. */
function quoted(part: string): string {
  return `"${decodeURIComponent(part).replaceAll('"', '""')}"`
}

/** No startup parameter is ignored and no query run to reset a session: what needs either fails here, as it should. */
function settingsFor(port: number, database: URL, users: string): string {
  return [
    '[databases]',
    `* = host=${database.hostname} port=${database.port || 5432}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'pool_mode = transaction',
    `default_pool_size = ${PGBOUNCER_POOL_SIZE}`,
    'max_client_conn = 2000',
    'auth_type = scram-sha-256',
    `auth_file = ${users}`,
    // Only what goes wrong: the rest is what it would spend its time on when hundreds come at once.
    'log_connections = 0',
    'log_disconnections = 0',
    '',
  ].join('\n')
}
