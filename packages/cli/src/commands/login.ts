import { AuthconnError, audienceOf, createClient, readSettings, type Settings } from '@authconn/sdk'
import type { IssuedKey, Self } from '@authconn/shared'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { askSecret, askText } from '../input/prompts.ts'
import { readAll, readTextFile } from '../input/read-secret.ts'
import { loginFlags, refuseWithoutOidc } from '../login/login-flags.ts'
import { plainLine } from '../output/plain.ts'
import { timeLeft } from '../output/time.ts'
import { endKey, keyToEnd } from '../profiles/end-login.ts'
import { localProfile } from '../profiles/find-vault.ts'
import { keepKey } from '../profiles/keep-key.ts'
import { checkProfileName, createProfileStore, type Profile } from '../profiles/profile-store.ts'
import { quickFetch } from '../quick-fetch.ts'

interface LoggedIn {
  profile: string
  url: string
  workspace: string
  caller: string
  /** Who logged in, where that is a person with an account at a provider. */
  identity: string | null
  permissions: string[]
  /** When the key ends. */
  expires_at: string | null
  key_in: 'keychain' | 'file'
  file: string
}

export const login = defineCommand({
  description:
    'Keeps where a vault is, and an API key for it, under the name of a profile, and makes that the current one. The key is asked for in a terminal and read from standard input elsewhere; the vault must accept it before it is kept. With --oidc you log in with an OpenID Connect provider that the vault trusts (authconn trusts create --preset people), and get a key for some hours. The key goes into the keychain of the operating system, or where there is none into a file of mode 0600.',
  flags: loginFlags,
  examples: [
    [
      'authconn login --vault-url https://vault.example.com',
      'asks for the API key; the profile is called default',
    ],
    ['authconn login --profile prod --vault-url https://vault.example.com', 'one of several vaults or workspaces'],
    ['authconn login --oidc --vault-url https://vault.example.com', 'in the browser, with your account at work'],
    ['pass show authconn/prod | authconn login --profile prod', 'another key for a profile that is there'],
  ],

  async run(ctx, flags): Promise<LoggedIn> {
    if (!flags.oidc) refuseWithoutOidc(flags)
    const profiles = createProfileStore(ctx.env)
    const name = checkProfileName(ctx.wanted.profile ?? (ctx.env.AUTHCONN_PROFILE || 'default'))
    if (name === localProfile) {
      throw new AuthconnError(
        'usage',
        `${localProfile} stands for the vault on this machine, which needs no login.`,
      )
    }
    const found = await profiles.findFormer(name)
    const former = found === 'damaged' ? undefined : found
    if (found === 'damaged') ctx.warn(`${profiles.fileOf(name)} is damaged, and is written anew.`)
    const settings = await readSettings(ctx.env)
    const { allowInsecureHttp } = settings
    const url = urlOf(ctx, former, settings.url) ?? (await askUrl(ctx))
    // Before the key is asked for: an address that no key may be sent to is refused.
    createClient({ url, allowInsecureHttp })
    const keep = (apiKey: string, trust?: string) =>
      keepLogin(ctx, { name, url, apiKey, allowInsecureHttp, trust, former, store: flags.store ?? 'auto' })
    if (!flags.oidc) return keep(await readKey(ctx, url))
    return logInByOidc(ctx, flags, { url, settings, former }, ({ access_token, trust }) =>
      keep(access_token, trust),
    )
  },

  render({ profile, url, workspace, caller, identity, expires_at: end, key_in, file }, { paint, now }) {
    const who =
      identity === null
        ? paint.bold(plainLine(caller))
        : `${paint.bold(plainLine(identity))} (${plainLine(caller)})`
    const where = key_in === 'keychain' ? 'the keychain' : file
    return [
      `Logged in to ${plainLine(url)} as ${who} in the workspace ${plainLine(workspace)}.`,
      `The profile ${profile} is the current one; its key is in ${where}.`,
      ...(end === null ? [] : [`The key is good until ${end} (${timeLeft(end, now)}).`]),
    ].join('\n')
  },
})

interface Kept {
  name: string
  url: string
  apiKey: string
  allowInsecureHttp: boolean
  /** By which the key was given, after a login in the browser. */
  trust: string | undefined
  former: Profile | undefined
  store: 'auto' | 'keychain' | 'file'
}

/** The vault must accept the key before it is kept. */
async function keepLogin(ctx: Context, kept: Kept): Promise<LoggedIn> {
  const { name, url, apiKey, allowInsecureHttp, trust, former, store } = kept
  const vault = createClient({ url, apiKey, allowInsecureHttp, fetch: quickFetch })
  const asked = vault.call('getSelf', {}, { signal: ctx.signal })
  const self: Self = await ctx.waitFor('Asking the vault', asked)
  const { workspace, permissions, identity, expires_at } = self
  const login = trust === undefined || expires_at === null ? undefined : { trust, expiresAt: expires_at }
  const profile = { name, url, workspace, caller: self.name, apiKey, login }
  const profiles = createProfileStore(ctx.env)
  // Read before the new one takes its place.
  const formerKey = await keyToEnd(ctx, former).catch((error: unknown) => warnOfFormer(ctx, error))
  const keyIn = await keepKey(ctx, profile, store, former)
  await profiles.use(name)
  if (former !== undefined && formerKey !== undefined && formerKey !== apiKey) await endKey(ctx, former, formerKey)
  warnOfEnvironment(ctx)
  return {
    ...{ profile: name, url, workspace, caller: self.name, identity },
    ...{ permissions, expires_at, key_in: keyIn, file: profiles.fileOf(name) },
  }
}

/** A keychain that cannot be read is no reason not to log in. */
function warnOfFormer({ warn }: Context, error: unknown): undefined {
  if (!(error instanceof AuthconnError)) throw error
  warn(`the key of the former login could not be read, and stays good until its time: ${error.detail}`)
}

/** The workspace and the trust: of the flags, of the environment, or those that this profile had. */
async function logInByOidc(
  ctx: Context,
  flags: FlagValues<typeof loginFlags>,
  { url, settings, former }: { url: string; settings: Settings; former: Profile | undefined },
  keep: (issued: IssuedKey) => Promise<LoggedIn>,
): Promise<LoggedIn> {
  const { runOidcLogin } = await import('../login/run-oidc-login.ts')
  const { port = 8080, redirectHost = '127.0.0.1', timeout = 300, browser, clientSecretFile } = flags
  const again = former?.login !== undefined && former.url === url ? former : undefined
  const workspace = flags.workspace ?? settings.workspace ?? again?.workspace
  const wanted = {
    ...{ url, workspace, port, redirectHost, timeout, browser },
    allowInsecureHttp: settings.allowInsecureHttp,
    trust: flags.trust ?? settings.trust,
    former: again?.login?.trust,
    clientSecret:
      clientSecretFile === undefined ? undefined : await readTextFile(ctx, clientSecretFile, 'client secret'),
  }
  return runOidcLogin(ctx, wanted, keep)
}

/**
 * As for every other command --vault-url, then what --profile names, then AUTHCONN_URL. That and a profile that nobody
 * named may mean different vaults, and a key is for one of them. Throws usage.
 */
function urlOf({ wanted }: Context, former: Profile | undefined, ofEnvironment: string | undefined) {
  if (wanted.vaultUrl !== undefined) return wanted.vaultUrl
  if (former === undefined || ofEnvironment === undefined || wanted.profile !== undefined) {
    return former?.url ?? ofEnvironment
  }
  if (audienceOf(former.url) === audienceOf(ofEnvironment)) return former.url
  throw new AuthconnError(
    'usage',
    `AUTHCONN_URL is ${ofEnvironment}, and the profile ${former.name} is for ${former.url}.`,
    {
      hint: `Say which by --vault-url. To keep both give the new one a name: \`authconn login --profile NAME --vault-url ${ofEnvironment}\`.`,
    },
  )
}

async function askUrl(ctx: Context): Promise<string> {
  if (!ctx.interactive)
    throw new AuthconnError('usage', 'The URL of the vault is missing: give it as --vault-url.')
  return askText(ctx, 'URL of the vault', (answer) =>
    URL.canParse(answer) ? true : 'Please give a whole URL, such as https://vault.example.com.',
  )
}

async function readKey(ctx: Context, url: string): Promise<string> {
  const rule = (answer: string) => /^[\x21-\x7e]+$/.test(answer) || 'An API key has no spaces.'
  if (ctx.interactive) return askSecret(ctx, `API key for ${url}`, rule)
  const key = await readAll(ctx.stdin, 'Standard input', 'API key', ctx.signal)
  if (key === '') throw new AuthconnError('usage', 'Standard input holds no API key: it is empty.')
  return key
}

/** What was just kept would be used by no command: another vault is, or a key that is for no vault is refused. */
function warnOfEnvironment({ env, warn }: Context): void {
  const before = [
    ...['AUTHCONN_URL', 'AUTHCONN_API_KEY', 'AUTHCONN_API_KEY_FILE', 'AUTHCONN_DATA_DIR'],
    ...['AUTHCONN_ID_TOKEN', 'AUTHCONN_ID_TOKEN_FILE'],
  ].filter((name) => env[name])
  if (before.length === 0) return
  warn(`${before.join(' and ')} in the environment stands in the way of the profile, unless --profile names it.`)
}
