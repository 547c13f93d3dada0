import { createCookieJar } from './browser/cookie-jar.ts'
import { type Form, findForm } from './browser/find-form.ts'

export interface BrowseOptions {
  /** The account name to sign in with; `alice` by default. */
  login?: string
  consent?: 'allow' | 'deny'
  /** Also opens the callback URL, as a browser would. */
  followCallback?: boolean
  /** For the whole visit; 15 seconds by default. */
  timeoutMs?: number
}

export interface BrowseResult {
  /** The callback URL with what the provider put into it. */
  redirectedUrl: string
  /** The page behind the callback URL, with `followCallback`. */
  page?: { status: number; text: string }
}

const maximumHops = 20

/**
 * Goes through the sandbox's sign-in and consent pages as a person with a browser does: with cookies, redirects and
 * forms. Ends where the provider sends the browser away. Throws BrowseError when it does not get there.
 */
export async function browse(authorizationUrl: string, options: BrowseOptions = {}): Promise<BrowseResult> {
  const start = new URL(authorizationUrl)
  const callback = start.searchParams.get('redirect_uri')
  const signal = AbortSignal.timeout(options.timeoutMs ?? 15_000)
  const end = await visit(start, options, signal, (url) => isCallback(url, start, callback))
  if ('redirectedTo' in end) return finish(end.redirectedTo, options.followCallback ?? false, signal)
  throw new BrowseError(`No form to fill in at ${end.url.origin}${end.url.pathname}`, end.status, end.text)
}

/**
 * Goes through the same pages to connect a device: with the address that has the code in it, or with the code to type.
 * Resolves to the text of the page that it ends at.
 */
export async function connectDevice(
  verificationUri: string,
  options: BrowseOptions & { userCode?: string } = {},
): Promise<{ status: number; text: string }> {
  const signal = AbortSignal.timeout(options.timeoutMs ?? 15_000)
  const end = await visit(new URL(verificationUri), options, signal, () => false)
  if ('text' in end) return { status: end.status, text: readable(end.text) }
  throw new BrowseError('The pages for devices led elsewhere', 0, '')
}

type End = { redirectedTo: URL } | { url: URL; status: number; text: string }

/** Follows redirects and fills in forms, to the redirect that is the end or to a page that has no way on. */
async function visit(
  start: URL,
  options: BrowseOptions & { userCode?: string },
  signal: AbortSignal,
  isEnd: (redirectedTo: URL) => boolean,
): Promise<End> {
  const jar = createCookieJar()
  let request: { url: URL; form?: URLSearchParams } = { url: start }

  for (let hop = 0; hop < maximumHops; hop++) {
    const { url, form } = request
    const response = await fetch(url, {
      redirect: 'manual',
      signal,
      headers: { accept: 'text/html', cookie: jar.headerFor(url) },
      ...(form && { method: 'POST', body: form }),
    })
    jar.store(url, response.headers)
    const text = await response.text()

    const location = response.headers.get('location')
    if (location !== null) {
      const next = new URL(location, url)
      if (isEnd(next)) return { redirectedTo: next }
      request = { url: next }
      continue
    }
    const page = response.ok ? findForm(text) : undefined
    if (!page) return { url, status: response.status, text }
    request = submit(page, url, options)
  }
  throw new BrowseError(`More than ${maximumHops} pages and redirects`, 0, '')
}

/** The visit ended at a page that has no way on; `status` and `text` are that page's. */
export class BrowseError extends Error {
  override name = 'BrowseError'
  readonly status: number
  readonly text: string

  constructor(message: string, status: number, text: string) {
    super(status ? `${message}: status ${status}, ${readable(text)}` : message)
    this.status = status
    this.text = text
  }
}

function isCallback(url: URL, start: URL, callback: string | null): boolean {
  if (callback === null || !URL.canParse(callback)) return url.origin !== start.origin
  const expected = new URL(callback)
  return url.origin === expected.origin && url.pathname === expected.pathname
}

async function finish(url: URL, follow: boolean, signal: AbortSignal): Promise<BrowseResult> {
  if (!follow) return { redirectedUrl: url.href }
  const response = await fetch(url, { redirect: 'manual', signal, headers: { accept: 'text/html' } })
  return { redirectedUrl: url.href, page: { status: response.status, text: await response.text() } }
}

function submit({ action, fields, buttons }: Form, url: URL, options: BrowseOptions & { userCode?: string }) {
  const form = new URLSearchParams([...fields])
  if (fields.get('user_code') === '') form.set('user_code', options.userCode ?? '')
  if (fields.has('login')) form.set('login', options.login ?? 'alice')
  if (fields.has('password')) form.set('password', 'any')
  const wanted = fields.has('login') ? 'login' : (options.consent ?? 'allow')
  const button = buttons.find(({ value }) => value === wanted)
  if (button) form.set(button.name, button.value)
  return { url: new URL(action, url), form }
}

function readable(page: string): string {
  return page
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300)
}
