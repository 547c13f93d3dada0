import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { beginAuthorize, listens } from './support/authorization.ts'
import { chromiumPath, openChromium } from './support/chromium.ts'
import { useWorld } from './support/world.ts'

if (chromiumPath === undefined) {
  process.stderr.write('\nSKIPPED: the browser tests, since there is no Chromium (CHROMIUM_PATH names it)\n\n')
}

describe.skipIf(chromiumPath === undefined)('in Chromium', () => {
  const { current } = useWorld()
  let browser: BrowserContext
  let close = async () => {}
  beforeAll(async () => ({ browser, close } = await openChromium(chromiumPath ?? '')))
  afterAll(() => close())

  async function open(url: string): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
        complaints.push(message.text())
    })
    await page.goto(url)
    return { page, complaints }
  }

  async function signIn(page: Page): Promise<void> {
    await page.getByLabel('Account name').fill('alice')
    await page.getByLabel('Password').fill('any')
    await page.getByRole('button', { name: 'Sign in' }).click()
  }

  test('a person signs in, allows it, and sees that the connection is authorized', async () => {
    await current().create('chromium')
    const { notice, ended } = await beginAuthorize(current(), 'chromium')
    const { page, complaints } = await open(notice.authorization_url)
    await signIn(page)
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByRole('heading', { name: 'Authorized' }).waitFor()

    expect(await page.getByText('The connection chromium is authorized.').isVisible()).toBe(true)
    expect(page.url().startsWith(notice.redirect_uri)).toBe(true)
    // The policy lets the style in, or the browser would complain and lay the page out by its own measures.
    expect(await page.locator('h1').evaluate((heading) => getComputedStyle(heading).fontSize)).toBe('24px')
    expect(complaints).toEqual([])
    expect((await ended).exitCode).toBe(0)
    expect(await listens(notice.redirect_uri)).toBe(false)
    const { status } = await current().vault.call('getConnection', { params: { name: 'chromium' } })
    expect(status).toBe('active')
    await page.close()
  })

  test('a person who denies it is told so in the browser', async () => {
    await current().create('chromium-denied')
    await browser.clearCookies()
    const { notice, ended } = await beginAuthorize(current(), 'chromium-denied')
    const { page } = await open(notice.authorization_url)
    await signIn(page)
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByRole('heading', { name: 'The provider did not grant the authorization' }).waitFor()
    expect((await ended).exitCode).toBe(8)
    await page.close()
  })

  test('the page that waits for the exchange is not fooled by a second window', async () => {
    await current().create('chromium-twice')
    await browser.clearCookies()
    const { sandbox } = current()
    sandbox.faults.set('token', { kind: 'slow', delayMs: 1500 })
    const { notice, ended } = await beginAuthorize(current(), 'chromium-twice')
    const { page } = await open(notice.authorization_url)
    await signIn(page)
    const exchanges = sandbox.stats.tokenRequests.authorization_code ?? 0
    const callback = page.waitForRequest((request) => request.url().startsWith(notice.redirect_uri))
    await page.getByRole('button', { name: 'Allow' }).click({ noWaitAfter: true })
    // Chromium asks for one address once at a time, so the second is made another one.
    const second = await open(`${(await callback).url()}&again`)
    await page.getByRole('heading', { name: 'Authorized' }).waitFor()
    await second.page.getByRole('heading', { name: 'Authorized' }).waitFor()
    expect((await ended).exitCode).toBe(0)
    expect(sandbox.stats.tokenRequests.authorization_code).toBe(exchanges + 1)
    sandbox.faults.clear()
  })
})
