import { AuthconnError } from '@authconn/sdk'
import type { CallbackListener } from './listen-for-callback.ts'

/**
 * In the place of a listener, for a redirect URI on another machine: the redirected URL is pasted. Throws usage for one that
 * this machine could listen on, or when nothing can be pasted.
 */
export function awaitPasted(redirectUri: string, canPaste: boolean): CallbackListener {
  const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined
  if (url?.protocol !== 'https:') {
    throw new AuthconnError(
      'usage',
      '--redirect-uri takes an https address; for this machine there are --port and --redirect-host.',
    )
  }
  if (!canPaste) {
    throw new AuthconnError(
      'usage',
      'With --redirect-uri the address that the browser ends on has to be pasted: run this in a terminal, or add --paste.',
    )
  }
  return {
    redirectUri,
    expect: () => new Promise(() => {}),
    answer: async () => {},
    close: async () => {},
  }
}
