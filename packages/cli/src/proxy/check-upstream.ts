import { AuthconnError } from '@authconn/sdk'
import { isOnThisMachine } from '../on-this-machine.ts'

/** Where the token may be sent: https, or http on this machine. Throws usage. */
export function checkUpstream(given: string | undefined): URL {
  if (given === undefined) throw refusal('Give --upstream URL: the API that the requests are for.')
  if (!URL.canParse(given)) throw refusal('--upstream is not a URL.')
  const url = new URL(given)
  if (url.username || url.password || url.search || url.hash) {
    throw refusal('--upstream must not hold a user name, password, query or fragment.')
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isOnThisMachine(url))) return url
  throw refusal('The token is sent to https URLs only, or over plain http to this machine.')
}

function refusal(detail: string): AuthconnError {
  return new AuthconnError('usage', detail)
}
