import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@authconn/sdk'
import { startChild, stopChild } from '../../../packages/cli/test/e2e/support/child.ts'
import { temporaryDatabase } from '../../../packages/server/test/support/temporary-database.ts'
import { lastingPort } from './lasting-port.ts'
import { root } from './read-page.ts'
import { startAfresh } from './start-afresh.ts'
import { startInternet } from './start-internet.ts'
import { writePrograms } from './write-programs.ts'

export type DocsWorld = Awaited<ReturnType<typeof startDocsWorld>>

/**
 * What the documentation is executed in: the vault that is published, on PostgreSQL, with the providers of the whole internet
 * played behind a proxy, and the command line that is published on the PATH.
 */
export async function startDocsWorld(postgresUrl: string) {
  const directory = await mkdtemp(join(tmpdir(), 'authconn-docs-'))
  const closers: (() => unknown)[] = [() => rm(directory, { recursive: true, force: true })]
  const at = (name: string) => join(directory, name)
  for (const name of ['bin', 'data', 'home/.config/fish/completions', 'internet', 'tmp'])
    await mkdir(at(name), { recursive: true })

  const database = temporaryDatabase(postgresUrl)
  await database.create()
  const emptyDatabase = temporaryDatabase(postgresUrl)
  closers.push(database.drop, emptyDatabase.drop)
  let vaultUrl = ''
  const internet = await startInternet(at('internet'), (host) =>
    host === 'vault.example.com' ? vaultUrl : undefined,
  )
  closers.push(internet.stop)

  const [callbackPort, proxyPort, otherPort] = [await lastingPort(), await lastingPort(), await lastingPort()]
  const environment = {
    PATH: `${at('bin')}:${process.env.PATH}`,
    HOME: at('home'),
    // What the programs leave goes with the directory.
    TMPDIR: at('tmp'),
    // Nobody here looks at a browser, and no key goes into anybody's keychain.
    SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 22',
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
    DATABASE_URL: database.url,
    AUTHCONN_DATA_DIR: at('data'),
    HTTPS_PROXY: internet.proxyUrl,
    NO_PROXY: '127.0.0.1,localhost',
    NODE_EXTRA_CA_CERTS: internet.authority,
    CURL_CA_BUNDLE: internet.authority,
    NODE_USE_ENV_PROXY: '1',
    DOCS_CALLBACK_PORT: String(callbackPort),
    DOCS_UPSTREAM_PORT: String(internet.port),
    DOCS_PIDS: at('pids'),
  }
  // An API that refuses the token fails the line that called it.
  await writeFile(at('home/.curlrc'), 'fail\nshow-error\n')
  await writePrograms(at('bin'))
  await symlink(join(root, 'packages/cli/node_modules'), at('node_modules'))
  const callback = 'https://app.example.com/callback,https://acme.example/callback'
  const settings = { AUTHCONN_PORT: '0', AUTHCONN_PROXY_NAMES: 'proxy', AUTHCONN_ALLOWED_REDIRECT_URIS: callback }
  const server = startChild(join(root, 'packages/server/dist/main.js'), ['start'], { ...environment, ...settings })
  closers.push(() => stopChild(server))
  vaultUrl = await listening(server)
  const { api_key: apiKey }: { api_key: string } = JSON.parse(await readFile(at('data/credentials.json'), 'utf8'))
  const vault = createClient({ url: vaultUrl, apiKey, reuseFor: 0 })
  return {
    directory,
    url: vaultUrl,
    apiKey,
    environment: { ...environment, ...settings, AUTHCONN_URL: vaultUrl, AUTHCONN_API_KEY: apiKey },
    startAfresh: (given: Readonly<Record<string, string>>) => startAfresh(vault, given, internet.visit),
    jobs: internet.jobs,
    /** What the audit log says of tokens of identity that were shown since then, newest first. */
    async exchangesSince(since: string) {
      const { records } = await vault.call('listAudit', { query: { since, limit: 200 } })
      return records.filter(({ action }) => action === 'exchangeToken').map(({ outcome }) => outcome)
    },
    /** For pages that start vaults of their own; there once it is made empty. */
    emptyDatabase: {
      url: emptyDatabase.url,
      async make() {
        await emptyDatabase.drop()
        await emptyDatabase.create()
      },
    },
    /** As a superuser of the database server. */
    execute: database.execute,
    endPrograms: () => endPrograms(at('pids')),
    /** As code of the documentation can be run here: without ports that something else may have, and within a directory. */
    movedTo: (cwd: string, text: string) =>
      text
        .replaceAll(/\b8080\b/g, String(callbackPort))
        .replaceAll(/\b8123\b/g, String(proxyPort))
        .replaceAll(/\b8124\b/g, String(otherPort))
        .replaceAll(/(?<![\w/])\/(etc\/authconn|run\/secrets)\b/g, `${cwd}/$1`)
        .replaceAll('~/.local/share/authconn', at('data')),
    async stop() {
      for (const close of closers.reverse()) await close()
    },
  }
}

async function listening(server: ReturnType<typeof startChild>): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const url = /"url":"([^"]+)".*"msg":"listening"/.exec(server.stdout())?.[1]
      if (url) resolve(url)
    }
    server.process.stdout?.on('data', look)
    server.ended.then(() => reject(new Error(`the vault did not start: ${server.stdout()}${server.stderr()}`)))
  })
}

/** Those that go on after the line that started them. */
async function endPrograms(file: string): Promise<void> {
  const pids = await readFile(file, 'utf8').catch(() => '')
  for (const pid of pids.split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGTERM')
  await rm(file, { force: true })
}
