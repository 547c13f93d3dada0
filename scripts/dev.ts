import { parseArgs } from 'node:util'
import { type Service, startService } from './local/child.ts'
import { makeRunDirectory } from './local/data-directory.ts'

// A vault and the sandbox provider in the foreground, to play with. Both forget everything when they end: what the
// vault kept would be of no use to a provider that does not know it.

const { values: flags } = parseArgs({
  options: {
    port: { type: 'string', default: '7345' },
    'sandbox-port': { type: 'string', default: '9400' },
    'access-token-ttl': { type: 'string', default: '300' },
  },
})
const client = { id: 'sandbox-client', secret: 'sandbox-secret' }
const data = makeRunDirectory('dev')

const provider = startService(
  'packages/sandbox/src/main.ts',
  [
    '--json',
    '--port',
    flags['sandbox-port'],
    '--access-token-ttl',
    flags['access-token-ttl'],
    '--client-id',
    client.id,
    '--client-secret',
    client.secret,
  ],
  {},
)
const vault = startService(
  'packages/server/src/main.ts',
  ['start', '--port', flags.port, '--data-dir', data.path],
  {
    AUTHCONN_ALLOW_LOOPBACK_PROVIDERS: 'true',
  },
)
const services: Service[] = [vault, provider]
let stopping = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void stop(0))

try {
  const [line] = await provider.says(/^\{.*\}$/m)
  const [, url] = await vault.says(/"url":"([^"]+)".*"msg":"listening"/)
  console.log(instructions(JSON.parse(line).issuer, url ?? ''))
  const { code, stderr } = await Promise.race(services.map((service) => service.ended))
  if (!stopping) {
    console.error(`A part ended with code ${code}.\n${stderr}`)
    await stop(1)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.error('Other ports: npm run dev -- --port PORT --sandbox-port PORT')
  await stop(1)
}

async function stop(code: number): Promise<void> {
  if (stopping) return
  stopping = true
  await Promise.all(services.map((service) => service.stop()))
  data.remove()
  process.exit(code)
}

function instructions(issuer: string, url: string): string {
  return `
  vault     ${url}   (reference: ${url}/docs)
  provider  ${issuer}   (make it fail: ${issuer}/sandbox/faults)
  data      ${data.path}   (gone when this ends)

In another terminal, in this checkout:

  export AUTHCONN_DATA_DIR='${data.path}'
  echo ${client.secret} | npm run -s authconn -- create demo --provider-url ${issuer} --client-id ${client.id} --client-secret-file -
  npm run -s authconn -- authorize demo
  npm run -s authconn -- token demo
  npm run -s authconn -- list
  npm run -s authconn -- revoke demo

Ctrl-C stops both.
`
}
