import { type AuthconnClient, AuthconnError, audienceOf, type Operation } from '@authconn/sdk'
import type { Context } from '../context.ts'
import { askWhich } from '../input/prompts.ts'

export type Login = Operation<'listLogins'>['response']['logins'][number]

/**
 * The provider to log in with: of the trust that is named, the one that there is, or chosen by the person. A former one is
 * taken again as long as it is there. Throws login_unavailable, and usage where there are several and nobody to ask.
 */
export async function chooseLogin(
  ctx: Context,
  vault: Pick<AuthconnClient, 'call'>,
  wanted: { url: string; workspace: string | undefined; trust: string | undefined; former: string | undefined },
): Promise<Login> {
  const { url, workspace, trust, former } = wanted
  const query = workspace === undefined ? {} : { workspace }
  const asked = vault.call('listLogins', { query }, { signal: ctx.signal }).catch((error: unknown) => {
    if (!(error instanceof AuthconnError && error.code === 'not_found')) throw error
    throw new AuthconnError('login_unavailable', `The vault at ${url} is older than logins by OpenID Connect.`)
  })
  const { logins } = await ctx.waitFor('Asking the vault', asked)
  const names = logins.map((login) => login.trust)
  const where = `in the workspace ${workspace ?? 'default'} of ${url}`
  if (logins.length === 0) {
    throw new AuthconnError('login_unavailable', `There is no login by OpenID Connect ${where}.`)
  }
  const find = (name: string | undefined) => logins.find((login) => login.trust === name)
  if (trust !== undefined) {
    const found = find(trust)
    if (found) return requireHere(found, url)
    throw new AuthconnError(
      'login_unavailable',
      `There is no login by a trust ${trust} ${where}. There are: ${names.join(', ')}.`,
    )
  }
  const [only] = logins
  const known = find(former) ?? (logins.length === 1 ? only : undefined)
  if (known) return requireHere(known, url)
  if (!ctx.interactive) {
    throw new AuthconnError('usage', `There are several logins: say which by --trust (${names.join(', ')}).`)
  }
  const chosen = find(await askWhich(ctx, 'Log in by which trust?', names))
  if (chosen) return requireHere(chosen, url)
  throw new Error('a login was chosen that was not offered')
}

/** The vault would refuse the token, which is obtained for the URL that is used here, and not for what a vault says it is. */
function requireHere(login: Login, url: string): Login {
  const { trust, vault_url: there } = login
  if (URL.canParse(there) && audienceOf(there) === audienceOf(url)) return login
  throw new AuthconnError(
    'login_unavailable',
    `By the trust ${trust} people log in to the vault as ${there}, and not as ${url}.`,
    {
      hint: `If both are your vault, give it as --vault-url ${there}. Otherwise have a trust made with --login-url ${audienceOf(url)}.`,
    },
  )
}
