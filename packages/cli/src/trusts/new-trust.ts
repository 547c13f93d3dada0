import { AuthconnError, audienceOf } from '@authconn/sdk'
import type { NewTrust } from '@authconn/shared'
import { givenSubjects, toPermission } from '../callers/given-limits.ts'
import type { Context } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { givenName } from '../input/connection-name.ts'
import { defined } from '../input/defined.ts'
import { readTextFile } from '../input/read-secret.ts'
import { parseJson } from '../read-private-file.ts'
import { askForMissing } from './ask-for-missing.ts'
import { boundClaims } from './bound-claims.ts'
import { isEntra } from './entra.ts'
import type { PresetWord, trustFlags } from './trust-flags.ts'

type Given = FlagValues<typeof trustFlags>

const knownIssuers: Partial<Record<PresetWord, string>> = {
  github: 'https://token.actions.githubusercontent.com',
  gitlab: 'https://gitlab.com',
}

/** What to ask the vault for, from flags and, for what they leave out, from questions. Throws usage. */
export async function newTrust(
  ctx: Context,
  given: Given,
  operands: readonly string[],
  vaultUrl: string,
): Promise<NewTrust> {
  if (given.singleUse && given.reusable) {
    throw new AuthconnError('usage', '--single-use and --reusable exclude each other.')
  }
  if (given.jwksUri !== undefined && given.jwksFile !== undefined) {
    throw new AuthconnError('usage', 'Give --jwks-uri or --jwks-file, not both.')
  }
  const limits = limitsOf(given)
  const { name, preset, flags } = await askForMissing(ctx, { ...given, name: givenName(given, operands) })
  const claims = boundClaims(preset, flags)
  const issuer = flags.issuer ?? knownIssuers[preset]
  const missing = [...(issuer === undefined ? ['--issuer'] : []), ...(claims.length === 0 ? ['--claim'] : [])]
  if (issuer === undefined || claims.length === 0) {
    throw new AuthconnError('usage', `Missing: ${missing.join(', ')}.`)
  }
  if (flags.emailDomain && isEntra(issuer)) {
    throw new AuthconnError(
      'usage',
      'Tokens of Microsoft Entra ID do not say that an e-mail address is verified.',
      {
        hint: 'Bind the directory by --claim tid=TENANT, or a group by --group and its object id, in the place of --email-domain.',
      },
    )
  }
  return {
    name,
    issuer,
    claims,
    audience: flags.audience ?? [flags.clientId ?? audienceOf(vaultUrl)],
    ...limits,
    ...defined({
      preset: preset === 'generic' ? undefined : preset,
      jwks_uri: flags.jwksUri,
      jwks: flags.jwksFile === undefined ? undefined : await readKeys(ctx, flags.jwksFile),
      login:
        flags.clientId === undefined
          ? undefined
          : {
              client_id: flags.clientId,
              scopes: flags.scopes ?? ['openid', 'email'],
              vault_url: flags.loginUrl ?? audienceOf(vaultUrl),
            },
    }),
  }
}

/** What a key may do, how long, and which tokens are fresh enough for one. */
function limitsOf(flags: Given): Pick<NewTrust, 'permissions'> & Partial<NewTrust> {
  return {
    permissions: (flags.allow ?? ['token:read']).map(toPermission),
    ...defined({
      algorithms: flags.algorithm?.map(toAlgorithm),
      max_age: flags.maxAge,
      single_use: flags.singleUse ? true : flags.reusable ? false : undefined,
      key_lifetime: flags.keyLifetime,
      connections: flags.connection,
      subjects: givenSubjects(flags),
      addresses: flags.address,
      expires_at: flags.expires,
    }),
  }
}

type Algorithm = NonNullable<NewTrust['algorithms']>[number]

const algorithms: readonly Algorithm[] = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA'] as const),
]

function toAlgorithm(word: string): Algorithm {
  const found = algorithms.find((algorithm) => algorithm === word)
  if (found) return found
  throw new AuthconnError('usage', `--algorithm takes ${algorithms.join(', ')}.`)
}

async function readKeys(ctx: Context, file: string): Promise<NonNullable<NewTrust['jwks']>> {
  const value = parseJson(await readTextFile(ctx, file, 'key set'))
  const keys: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'keys') : undefined
  if (!Array.isArray(keys)) {
    throw new AuthconnError('usage', `${file} is no JWKS: it has to be JSON with "keys".`)
  }
  return { keys }
}
