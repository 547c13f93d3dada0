import type { Context } from '../context.ts'
import { duration } from '../output/time.ts'
import { openBrowser } from './open-browser.ts'
import { adviceFor, obstacleToBrowser, surroundings } from './surroundings.ts'

/**
 * Tells the person where to go, for an authorization with its id or else for a login, and opens the browser there unless
 * that was not wanted or would not be seen.
 */
export function sendPerson(
  ctx: Pick<Context, 'env' | 'instruct' | 'warn'>,
  { id, url, redirectUri }: { id?: string; url: string; redirectUri: string },
  { browser, paste, timeout }: { browser: boolean; paste: boolean; timeout: number },
): void {
  const where = surroundings(ctx.env)
  const obstacle = browser ? obstacleToBrowser(where) : undefined
  const opening = browser && obstacle === undefined
  const why = obstacle === undefined ? '' : `No browser is opened, since ${obstacle}. `
  // On another machine nothing that runs here could be in its way.
  const listensHere = new URL(redirectUri).protocol === 'http:'
  const advice = listensHere ? adviceFor(where, redirectUri, id === undefined ? 'login' : 'authorize') : undefined
  ctx.instruct(
    [
      `The redirect URI, which must be registered at the provider exactly like this: ${redirectUri}`,
      opening ? 'The browser is opening. If it does not, go to:' : `${why}Go to:`,
      `\n${url}\n`,
      ...(advice === undefined ? [] : [advice]),
      listensHere
        ? `Waiting ${duration(timeout)} for the browser to come back; Ctrl-C ends it.`
        : `Waiting ${duration(timeout)}; Ctrl-C ends it.`,
      ...(paste && !listensHere
        ? ['Copy the address that the browser ends on, paste it here and press Enter.']
        : []),
      ...(paste && listensHere
        ? [
            'If the browser is on another machine, copy the address it ends on, though the page does not load, paste it here and press Enter.',
          ]
        : []),
    ].join('\n'),
    { ...(id === undefined ? {} : { authorization_id: id }), redirect_uri: redirectUri, authorization_url: url },
  )
  if (opening) void warnUnlessOpened(ctx, url)
}

/** Opens the browser, and tells when that failed, which may show late. */
export async function warnUnlessOpened(ctx: Pick<Context, 'warn'>, url: string): Promise<void> {
  const failure = await openBrowser(url)
  if (failure !== undefined) ctx.warn(`the browser could not be opened: ${failure}`)
}
