import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Sandbox, startSandbox } from '../src/index.ts'
import { createClient } from './support/client.ts'

const sandboxes: Sandbox[] = []
afterEach(async () => {
  for (const sandbox of sandboxes.splice(0)) await sandbox.stop()
})

async function start(options?: Parameters<typeof startSandbox>[0]) {
  const sandbox = await startSandbox(options)
  sandboxes.push(sandbox)
  return sandbox
}

describe('startSandbox', () => {
  test('prints nothing, in use either', async () => {
    const calls = (['info', 'warn', 'error', 'log'] as const).map((name) => vi.spyOn(console, name))
    const client = createClient(await start())
    const { refresh_token } = await client.signIn('openid email')
    await client.refresh(refresh_token)
    await client.post('introspection', { token: refresh_token })
    await client.post('revocation', { token: refresh_token })
    for (const call of calls) expect(call).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })

  test('says when the port is taken', async () => {
    const { port } = await start()
    await expect(start({ port })).rejects.toMatchObject({
      name: 'PortTakenError',
      message: `Port ${port} on 127.0.0.1 is taken by another process`,
    })
  })

  test('leaves no port open when a client cannot be', async () => {
    const { port } = await start()
    await sandboxes.pop()?.stop()
    const clients = [{ client_id: 'x', client_secret: 'y', redirect_uris: ['no url'] }] as const
    await expect(start({ port, clients })).rejects.toThrow('Invalid URL')
    expect((await start({ port })).port).toBe(port)
  })

  test('listens on IPv6 loopback', async () => {
    const sandbox = await start({ host: '::1' })
    expect(sandbox.issuer).toBe(`http://[::1]:${sandbox.port}`)
    expect((await createClient(sandbox).authorize()).get('iss')).toBe(sandbox.issuer)
  })

  test('keeps several apart', async () => {
    const [one, other] = [await start(), await start()]
    expect(one.client.client_secret).not.toBe(other.client.client_secret)
    const { refresh_token } = await createClient(one).signIn()
    expect((await createClient(other).refresh(refresh_token)).status).toBe(400)
  })

  test('refuses lifetimes that are none', async () => {
    await expect(startSandbox({ accessTokenTtl: 0.5 })).rejects.toThrow('"accessTokenTtl" must be whole seconds')
  })

  test('stops with requests hanging, and again without effect', async () => {
    const sandbox = await start()
    sandbox.faults.set('token', { kind: 'hang' })
    sandbox.faults.set('jwks', { kind: 'huge' })
    const hanging = expect(createClient(sandbox).refresh('any')).rejects.toThrow()
    const endless = expect(fetch(`${sandbox.issuer}/jwks`).then((answer) => answer.text())).rejects.toThrow()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await sandbox.stop()
    await sandbox.stop()
    await Promise.all([hanging, endless])
    await expect(fetch(sandbox.issuer)).rejects.toThrow()
  })
})

describe('pages', () => {
  async function openLogin() {
    const sandbox = await start({
      clients: [{ client_id: '<img/src=x>"\'&', client_secret: 'a-secret' }],
    })
    const first = await fetch(createClient(sandbox).authorizationUrl(), { redirect: 'manual' })
    const url = new URL(first.headers.get('location') ?? '', sandbox.issuer)
    const cookie = first.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ')
    return { url, headers: { cookie } }
  }

  test('escape what they show and allow no script', async () => {
    const { url, headers } = await openLogin()
    const page = await fetch(url, { headers })
    const text = await page.text()
    expect(text).toContain('&lt;img/src=x&gt;&quot;&#39;&amp;')
    expect(text).not.toContain('<img')
    expect(text).toContain('any name with any password')
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
    expect(page.headers.get('cache-control')).toBe('no-store')
  })

  test('ask again for a name when there is none', async () => {
    const { url, headers } = await openLogin()
    const page = await fetch(url, { method: 'POST', headers, body: new URLSearchParams({ login: ' ' }) })
    expect(page.status).toBe(400)
    expect(await page.text()).toContain('Type an account name')
  })

  test('say so when the sign-in is over or belongs to another browser', async () => {
    const { url } = await openLogin()
    const page = await fetch(url)
    expect([page.status, await page.text()]).toEqual([400, expect.stringContaining('This sign-in is over')])
  })

  test('include an overview and no favicon', async () => {
    const { issuer } = await start()
    expect(await (await fetch(issuer)).text()).toContain(issuer)
    expect((await fetch(`${issuer}/favicon.ico`)).status).toBe(204)
  })
})
