import { setTimeout as sleep } from 'node:timers/promises'
import { browse } from '@authconn/sandbox'
import { runCommand, type Service, startService } from './local/child.ts'
import { makeRunDirectory } from './local/data-directory.ts'

// The main job from end to end: the vault and a provider as processes of their own, the real command line,
// and a scripted browser in place of the person. Everything listens on free ports and goes away at the end.

const accessTokenLifetime = 6
const cli = 'packages/cli/src/main.ts'
const startedAt = performance.now()
const data = makeRunDirectory('quickstart')
const services: Service[] = []

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, async () => {
    say(`\nInterrupted (${signal}); stopping what was started.`)
    await stopAll()
    process.exit(130)
  })
}

try {
  await quickstart()
} catch (error) {
  console.error(`\nThe quickstart failed: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
} finally {
  await stopAll()
}

async function quickstart(): Promise<void> {
  say('Starting a vault on the embedded database, and a sandbox OAuth provider to connect to.\n')
  const provider = startService(
    'packages/sandbox/src/main.ts',
    ['--json', '--port', '0', '--access-token-ttl', String(accessTokenLifetime)],
    {},
  )
  const vault = startService('packages/server/src/main.ts', ['start', '--port', '0', '--data-dir', data.path], {
    AUTHCONN_ALLOW_LOOPBACK_PROVIDERS: 'true',
  })
  services.push(provider, vault)
  const [line] = await provider.says(/^\{.*\}$/m)
  const { issuer, client_id, client_secret } = JSON.parse(line)
  const [, url = ''] = await vault.says(/"url":"([^"]+)".*"msg":"listening"/)
  say(`  provider  ${issuer}\n  vault     ${url}\n`)

  await step(
    'Create a connection: the vault discovers the provider and seals the client secret.',
    ['create', 'demo', '--provider-url', issuer, '--client-id', client_id, '--client-secret-file', '-'],
    { input: client_secret },
  )
  await step('Authorize it. Here a scripted browser signs in and consents in your place.', [
    'authorize',
    'demo',
    '--scopes',
    'openid,email',
    '--port',
    '0',
    '--no-browser',
  ])
  const first = await step('Fetch its token.', ['token', 'demo'])
  say(`Wait until the token has ended; the provider gave it ${accessTokenLifetime} seconds.\n`)
  await sleep(accessTokenLifetime * 1000)
  const second = await step('Fetch it again: the vault refreshes it first.', ['token', 'demo'])
  if (first === second) throw new Error('the ended token was handed out again')

  await step('List the connections.', ['list'])
  await step('Revoke the tokens, here and at the provider.', ['revoke', 'demo'])
  await step('From now on there is no token, but a reason and a next step.', ['token', 'demo'], { exitCode: 5 })
  await step('Delete the connection.', ['delete', 'demo', '--yes'])
  say(`Done in ${Math.round((performance.now() - startedAt) / 1000)} seconds. Play with it yourself: npm run dev`)
}

/** Prints a command as a person would type it and what came back; resolves to its standard output. */
async function step(
  what: string,
  args: string[],
  { input = '', exitCode = 0 }: { input?: string; exitCode?: number } = {},
): Promise<string> {
  say(what)
  say(`$ ${input ? 'echo "$CLIENT_SECRET" | ' : ''}authconn ${args.map(quote).join(' ')}`)
  let browser: Promise<unknown> = Promise.resolve()
  let opened = false
  const { code, stdout, printed } = await runCommand(cli, args, {
    env: { AUTHCONN_DATA_DIR: data.path },
    input,
    onOutput(text) {
      const url = /^\s*(http:\/\/127\.0\.0\.1:\d+\/authorize\?\S+)\s/m.exec(text)?.[1]
      if (!url || opened) return
      opened = true
      browser = browse(url, { followCallback: true }).catch((error: unknown) => error)
    },
  })
  say(indent(shorten(printed)))
  const failure = await browser
  if (failure instanceof Error) throw failure
  if (code !== exitCode) throw new Error(`authconn ${args[0]} exited with ${code}, not ${exitCode}`)
  return stdout
}

/** Long unbroken runs are tokens, or the parameters of a URL; enough of each is left to tell them apart. */
function shorten(text: string): string {
  return text.replaceAll(/[A-Za-z0-9_-]{32,}/g, (run) => `${run.slice(0, 6)}…${run.slice(-4)}`)
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '  ').concat('\n')
}

function quote(argument: string): string {
  return /^[\w./:@,=-]+$/.test(argument) ? argument : `'${argument}'`
}

function say(text: string): void {
  console.log(text)
}

async function stopAll(): Promise<void> {
  await Promise.all(services.splice(0).map((service) => service.stop()))
  data.remove()
}
