import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { authorizing, lastLine, state, withoutUrl } from '../support/authorizing.ts'
import { fakeVault, type Handlers, Problem } from '../support/fake-vault.ts'
import { httpGet } from '../support/http-get.ts'
import { begin, run } from '../support/run.ts'
import { grant, started } from '../support/samples.ts'

function callback(redirectUri: string, query: string) {
  const { origin, pathname } = new URL(redirectUri)
  return httpGet(origin, `${pathname}?${query}`)
}

describe('an authorization that comes to its end', () => {
  test('hands the whole redirected URL to the vault, tells the browser the truth, and exits 0', async () => {
    const running = await authorizing(['--scopes', 'openid email,openid', '--subject', 'user-17'])
    const page = await callback(running.redirectUri, `state=${state}&code=c0de`)
    expect(await running.exitCode).toBe(0)
    expect(page).toMatchObject({ status: 200, body: expect.stringContaining('is authorized') })
    expect(running.requests).toMatchObject([
      {
        operation: 'startAuthorization',
        params: { name: 'google-oauth' },
        body: { scopes: ['openid', 'email'], redirect_uri: running.redirectUri, subject: 'user-17', timeout: 360 },
      },
      {
        operation: 'completeAuthorization',
        body: { redirected_url: `${running.redirectUri}?state=${state}&code=c0de` },
      },
    ])
    expect(JSON.parse(running.stdout())).toMatchObject({ status: 'completed', grant: { status: 'active' } })
  })

  test('shows the page only after the exchange', async () => {
    const exchange = Promise.withResolvers<void>()
    const running = await authorizing([], {
      completeAuthorization: async () => {
        await exchange.promise
        return { ...withoutUrl(), status: 'completed', grant: grant() }
      },
    })
    let shown = false
    const page = callback(running.redirectUri, `state=${state}&code=c0de`).finally(() => (shown = true))
    const reload = callback(running.redirectUri, `state=${state}&code=c0de`)
    await expect.poll(() => running.operations(), { timeout: 10_000 }).toContain('completeAuthorization')
    expect(shown).toBe(false)
    exchange.resolve()
    expect([(await page).status, (await reload).status]).toEqual([200, 200])
    expect(await running.exitCode).toBe(0)
    expect(running.operations()).toEqual(['startAuthorization', 'completeAuthorization'])
  })

  test('waits on after strangers have called', async () => {
    const running = await authorizing()
    expect((await callback(running.redirectUri, 'state=wrong&code=c')).status).toBe(400)
    expect((await callback(running.redirectUri, `state=${state}`)).status).toBe(400)
    expect((await callback(running.redirectUri, `state=${state}&code=c0de`)).status).toBe(200)
    expect(await running.exitCode).toBe(0)
    expect(running.operations()).toEqual(['startAuthorization', 'completeAuthorization'])
  })
})

describe('an answer of the vault that is lost', () => {
  const lost: Handlers = {
    completeAuthorization: ({ hangUp }) => hangUp(),
    cancelAuthorization: () => {
      throw new Problem('authorization_over', 'over')
    },
    getAuthorization: () => ({ ...withoutUrl(), status: 'completed' }),
  }

  test('is success when the vault has completed the authorization: the grant is shown, exit 0', async () => {
    const listGrants = () => ({ grants: [grant({ scope: 'openid mail' })], next: null })
    const running = await authorizing([], { ...lost, listGrants })
    const page = await callback(running.redirectUri, `state=${state}&code=c0de`)
    expect(await running.exitCode).toBe(0)
    expect(page).toMatchObject({ status: 200, body: expect.stringContaining('is authorized') })
    expect(JSON.parse(running.stdout())).toMatchObject({ status: 'completed', grant: { scope: 'openid mail' } })
    expect(running.stderr()).toContain('its answer did not arrive')
  })

  test('is success without the grant, when the vault does not show that', async () => {
    const running = await authorizing([], lost)
    await callback(running.redirectUri, `state=${state}&code=c0de`)
    expect(await running.exitCode).toBe(0)
    expect(JSON.parse(running.stdout())).toMatchObject({ status: 'completed', grant: null })
  })

  test('is a failure when nothing came of it', async () => {
    const cancelAuthorization = () => ({ ...withoutUrl(), status: 'failed' as const })
    const running = await authorizing([], { ...lost, cancelAuthorization })
    const page = await callback(running.redirectUri, `state=${state}&code=c0de`)
    expect(await running.exitCode).toBe(7)
    expect(page).toMatchObject({ status: 400, body: expect.stringContaining('cannot be reached') })
    expect(lastLine(running)).toMatchObject({ code: 'vault_unreachable' })
  })

  test('is told as not known, when the vault cannot be asked', async () => {
    const running = await authorizing([], {
      ...lost,
      getAuthorization: () => {
        throw new Problem('database_unavailable', 'the database is gone')
      },
    })
    const page = await callback(running.redirectUri, `state=${state}&code=c0de`)
    expect(await running.exitCode).toBe(7)
    expect(page.body).toContain('It is not known what became of the authorization')
  })
})

describe('a pasted URL', () => {
  test('does as well as a browser on this machine', async () => {
    const running = await authorizing(['--paste'])
    running.stdin.write(`  "${running.redirectUri}?state=${state}&code=c0de"  \n`)
    expect(await running.exitCode).toBe(0)
    expect(running.requests[1]?.body).toEqual({
      redirected_url: `${running.redirectUri}?state=${state}&code=c0de`,
    })
  })

  test.each([
    ['hello', 'not an address'],
    ['https://accounts.google.com/o/oauth2/v2/auth?state=st-4te', 'begins with http://127.0.0.1:'],
    ['REDIRECT?state=other&code=canary', 'another authorization'],
    ['REDIRECT?state=st-4te', 'neither a code nor an error'],
  ])('that is wrong (%s) says why and waits on', async (line, why) => {
    const running = await authorizing(['--paste'])
    running.stdin.write(`${line.replace('REDIRECT', running.redirectUri)}\n`)
    await expect.poll(() => running.stderr(), { timeout: 10_000 }).toContain(why)
    expect(running.stderr()).not.toContain('canary')
    running.stdin.end(`\n${running.redirectUri}?state=${state}&code=c0de`)
    expect(await running.exitCode).toBe(0)
  })

  test('is not needed: the browser can come after the input has ended', async () => {
    const running = await authorizing(['--paste'])
    running.stdin.end()
    await new Promise((resolve) => setImmediate(resolve))
    expect((await callback(running.redirectUri, `state=${state}&code=c0de`)).status).toBe(200)
    expect(await running.exitCode).toBe(0)
  })

  test('is awaited only where standard input is for this program: a list of connections in a pipe is not', async () => {
    const running = await authorizing()
    running.stdin.write('the-next-connection\n')
    expect(running.stderr()).not.toContain('paste')
    expect((await callback(running.redirectUri, `state=${state}&code=c0de`)).status).toBe(200)
    expect(await running.exitCode).toBe(0)
    expect(String(running.stdin.read())).toBe('the-next-connection\n')
  })

  test('is asked for where it is awaited', async () => {
    expect((await authorizing(['--paste'])).stderr()).toContain('paste it here')
  })
})

describe('an authorization that does not', () => {
  test('was denied: exit 8, the browser is told with the provider text escaped, and nothing stays pending', async () => {
    const running = await authorizing([], {
      completeAuthorization: () => {
        throw new Problem('authorization_denied', 'The provider says <b>access_denied</b>')
      },
      cancelAuthorization: () => {
        throw new Problem('authorization_over', 'over')
      },
      getAuthorization: () => ({ ...withoutUrl(), status: 'failed' }),
    })
    const page = await callback(running.redirectUri, `state=${state}&error=access_denied`)
    expect(await running.exitCode).toBe(8)
    expect(page.status).toBe(400)
    expect(page.body).toContain('&#60;b&#62;access_denied&#60;/b&#62;')
    expect(page.body).toContain('did not grant')
    expect(lastLine(running)).toMatchObject({ code: 'authorization_denied', exit_code: 8 })
    expect(running.stderr()).not.toContain('could not be cancelled')
    expect(running.stdout()).toBe('')
  })

  test('timed out: exit 8, cancelled in the vault, port free', async () => {
    const running = await authorizing(['--timeout', '1'])
    expect(await running.exitCode).toBe(8)
    expect(lastLine(running)).toMatchObject({ code: 'authorization_timeout' })
    expect(running.operations()).toEqual(['startAuthorization', 'cancelAuthorization'])
    await expect(callback(running.redirectUri, 'state=x')).rejects.toThrow(/ECONNREFUSED/)
  })

  test('was interrupted: exit 130, cancelled in the vault, port free', async () => {
    const running = await authorizing()
    running.interrupt()
    expect(await running.exitCode).toBe(130)
    expect(lastLine(running)).toMatchObject({ code: 'interrupted' })
    expect(running.operations()).toEqual(['startAuthorization', 'cancelAuthorization'])
    await expect(callback(running.redirectUri, 'state=x')).rejects.toThrow(/ECONNREFUSED/)
  })

  test('was interrupted during the exchange, which the vault completed: the truth in the browser and here', async () => {
    const running = await authorizing([], {
      completeAuthorization: () => new Promise(() => {}),
      cancelAuthorization: () => {
        throw new Problem('authorization_over', 'over')
      },
      getAuthorization: () => ({ ...withoutUrl(), status: 'completed' }),
    })
    const page = callback(running.redirectUri, `state=${state}&code=c0de`)
    await expect.poll(() => running.operations(), { timeout: 10_000 }).toContain('completeAuthorization')
    running.interrupt()
    expect(await running.exitCode).toBe(130)
    expect(await page).toMatchObject({ status: 200, body: expect.stringContaining('is authorized') })
    expect(running.stderr()).toContain('the vault had completed the authorization')
  })

  test('was interrupted during the exchange, and cancelled: not authorized in the browser either', async () => {
    const running = await authorizing([], { completeAuthorization: () => new Promise(() => {}) })
    const page = callback(running.redirectUri, `state=${state}&code=c0de`)
    await expect.poll(() => running.operations(), { timeout: 10_000 }).toContain('completeAuthorization')
    running.interrupt()
    expect(await running.exitCode).toBe(130)
    expect(await page).toMatchObject({ status: 400, body: expect.stringContaining('Interrupted') })
    expect(running.stderr()).toContain('is cancelled in the vault')
  })

  test('was interrupted while the vault began it: cancelled in the vault, no browser', async () => {
    const began = Promise.withResolvers<void>()
    const { url, requests } = await fakeVault({
      startAuthorization: async () => {
        await began.promise
        return started()
      },
      cancelAuthorization: () => ({ ...withoutUrl(), status: 'failed' }),
    })
    const running = begin(
      ['authorize', 'google-oauth', '--redirect-host', '127.0.0.1', '--port', '0', '--no-browser'],
      { url },
    )
    await expect.poll(() => requests.length, { timeout: 10_000 }).toBe(1)
    running.interrupt()
    began.resolve()
    expect(await running.exitCode).toBe(130)
    expect(requests.map(({ operation }) => operation)).toEqual(['startAuthorization', 'cancelAuthorization'])
    expect(running.stderr()).toContain('is cancelled in the vault')
    expect(running.stderr()).not.toContain('Go to:')
  })

  test('was interrupted while a silent vault was to begin it: ends all the same', async () => {
    const { url, requests } = await fakeVault({ startAuthorization: () => new Promise(() => {}) })
    const running = begin(
      ['authorize', 'google-oauth', '--redirect-host', '127.0.0.1', '--port', '0', '--no-browser'],
      { url },
    )
    await expect.poll(() => requests.length, { timeout: 10_000 }).toBe(1)
    running.interrupt()
    expect(await running.exitCode).toBe(130)
  })

  test('cannot be cancelled: says so, with the reason it ended for as the error', async () => {
    const running = await authorizing(['--timeout', '1'], {
      cancelAuthorization: () => {
        throw new Problem('database_unavailable', 'the database is gone')
      },
    })
    expect(await running.exitCode).toBe(8)
    expect(running.stderr()).toContain('could not be cancelled (the database is gone)')
    expect(lastLine(running)).toMatchObject({ code: 'authorization_timeout' })
  })

  test.each([
    ['javascript:alert(1)?state=s', 'not http or https'],
    ['file:///etc/passwd?state=s', 'not http or https'],
    ['https://id.example/authorize?state=a', 'without its state'],
    ['https://id.example/authorize?state=st-4te&state=b', 'without its state'],
    ['https://id.example/authorize', 'without its state', { state: '' }],
  ] as [string, string, object?][])(
    'began with %s, which no browser is sent to',
    async (authorization_url, why, changes = {}) => {
      const { url, requests } = await fakeVault({
        startAuthorization: () => started({ authorization_url, ...changes }),
        cancelAuthorization: () => ({ ...withoutUrl(), status: 'failed' }),
      })
      const { exitCode, stderr } = await run(
        ['authorize', 'google-oauth', '--redirect-host', '127.0.0.1', '--port', '0'],
        { url },
      )
      expect(stderr).toContain(why)
      expect(exitCode).toBe(7)
      expect(requests.map(({ operation }) => operation)).toEqual(['startAuthorization', 'cancelAuthorization'])
    },
  )
})

test('a taken port ends it before the vault is asked', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  const { exitCode, stderr } = await run(
    ['authorize', 'google-oauth', '--redirect-host', '127.0.0.1', '--port', port],
    {
      url: 'http://127.0.0.1:9',
    },
  )
  expect(exitCode).toBe(5)
  expect(stderr).toContain('[port_taken]')
  expect(stderr).toContain(port)
  expect(stderr).toContain('--port')
})
