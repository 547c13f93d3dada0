import { printable } from './adapters/oauth/provider-text.ts'
import type { Config } from './config/load-config.ts'
import { Secret } from './core/secret.ts'
import { describeError } from './logger.ts'

/**
 * A defect that ends the process, without what looks like a token in its message: errors that nobody expected quote what
 * they stumbled over, and nobody has looked at what that may be. With the secrets of the settings, these neither.
 */
export function describeCrash(error: unknown, secrets: readonly Secret[] = []): unknown {
  return hideIn(describeError(error), secrets)
}

/** The secrets of the settings, and the passwords within them. */
export function secretsOf({ keks = [], keyServices, databaseUrl, proxy, limits: { redisUrl } }: Config): Secret[] {
  const urls = [databaseUrl, redisUrl, proxy?.url].filter((url) => url !== undefined)
  const passwords = urls
    .map((url) => new Secret(new URL(url.reveal()).password))
    .filter((password) => password.reveal() !== '')
  return [
    ...urls,
    ...keks.flatMap((kek) => (kek.kind === 'key' ? [kek.key] : [])),
    ...(keyServices.transit.token ? [keyServices.transit.token] : []),
    ...passwords.flatMap((password) => [password, decoded(password)]),
  ]
}

/** What cannot be decoded is no encoding: then it is the password as it is. */
function decoded(password: Secret): Secret {
  try {
    return new Secret(decodeURIComponent(password.reveal()))
  } catch {
    return password
  }
}

function hideIn(described: unknown, secrets: readonly Secret[]): unknown {
  if (typeof described !== 'object' || described === null) return described
  const { message, cause } = described as { message?: unknown; cause?: unknown }
  return {
    ...described,
    message: printable(message, secrets, 500),
    ...(cause === undefined ? {} : { cause: hideIn(cause, secrets) }),
  }
}
