import type { Context } from '../context.ts'
import { duration } from '../output/time.ts'
import { obstacleToBrowser, openBrowser } from './open-browser.ts'

/** Tells the person where to go, and opens the browser there unless that was not wanted or would not be seen. */
export function sendPerson(
  ctx: Pick<Context, 'env' | 'say' | 'warn'>,
  { id, url, redirectUri }: { id: string; url: string; redirectUri: string },
  { browser, paste, timeout }: { browser: boolean; paste: boolean; timeout: number },
): void {
  const obstacle = browser ? obstacleToBrowser(ctx.env) : undefined
  const opening = browser && obstacle === undefined
  const why = obstacle === undefined ? '' : `No browser is opened, since ${obstacle}. `
  ctx.say(
    [
      `The redirect URI, which must be registered at the provider exactly like this: ${redirectUri}`,
      opening ? 'The browser is opening. If it does not, go to:' : `${why}Go to:`,
      `\n${url}\n`,
      `Waiting ${duration(timeout)} for the browser to come back; Ctrl-C ends it.`,
      ...(paste
        ? [
            'If the browser is on another machine, copy the address it ends on, though the page does not load, paste it here and press Enter.',
          ]
        : []),
    ].join('\n'),
    { authorization_id: id, redirect_uri: redirectUri, authorization_url: url },
  )
  if (opening) openBrowser(url, (reason) => ctx.warn(`the browser could not be opened: ${reason}`))
}
