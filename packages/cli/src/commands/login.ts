import { AuthconnError, createClient, readSettings } from '@authconn/sdk'
import type { Self } from '@authconn/shared'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { oneOf } from '../flags.ts'
import { askSecret, askText } from '../input/prompts.ts'
import { readAll } from '../input/read-secret.ts'
import { plainLine } from '../output/plain.ts'
import { localProfile } from '../profiles/find-vault.ts'
import { keepKey } from '../profiles/keep-key.ts'
import { checkProfileName, createProfileStore } from '../profiles/profile-store.ts'
import { quickFetch } from '../quick-fetch.ts'

interface LoggedIn {
  profile: string
  url: string
  workspace: string
  caller: string
  permissions: string[]
  key_in: 'keychain' | 'file'
  file: string
}

export const login = defineCommand({
  description:
    'Keeps where a vault is, and an API key for it, under the name of a profile, and makes that the current one. The key is asked for in a terminal and read from standard input elsewhere; the vault must accept it before it is kept. It goes into the keychain of the operating system, or where there is none into a file of mode 0600.',
  flags: {
    store: oneOf(
      ['auto', 'keychain', 'file'],
      'where to keep the key; auto: in the keychain where there is one',
      'auto',
    ),
  },
  examples: [
    [
      'authconn login --vault-url https://vault.example.com',
      'asks for the API key; the profile is called default',
    ],
    ['authconn login --profile prod --vault-url https://vault.example.com', 'one of several vaults or workspaces'],
    ['pass show authconn/prod | authconn login --profile prod', 'another key for a profile that is there'],
  ],

  async run(ctx, { store }): Promise<LoggedIn> {
    const { env, signal } = ctx
    const profiles = createProfileStore(env)
    const name = checkProfileName(ctx.wanted.profile ?? (env.AUTHCONN_PROFILE || 'default'))
    if (name === localProfile) {
      throw new AuthconnError(
        'usage',
        `${localProfile} stands for the vault on this machine, which needs no login.`,
      )
    }
    const found = await profiles.findFormer(name)
    const former = found === 'damaged' ? undefined : found
    if (found === 'damaged') ctx.warn(`${profiles.fileOf(name)} is damaged, and is written anew.`)
    const { url: urlOfEnvironment, allowInsecureHttp } = await readSettings(env)
    const url = ctx.wanted.vaultUrl ?? former?.url ?? urlOfEnvironment ?? (await askUrl(ctx))
    // Before the key is asked for: an address that no key may be sent to is refused.
    createClient({ url, apiKey: 'not-sent', allowInsecureHttp })
    const apiKey = await readKey(ctx, url)
    const vault = createClient({ url, apiKey, allowInsecureHttp, fetch: quickFetch })
    const self: Self = await ctx.waitFor('Asking the vault', vault.call('getSelf', {}, { signal }))
    const profile = { name, url, workspace: self.workspace, caller: self.name, apiKey }
    const keyIn = await keepKey(ctx, profile, store ?? 'auto', former)
    await profiles.use(name)
    warnOfEnvironment(ctx)
    const { workspace, permissions } = self
    return {
      profile: name,
      url,
      workspace,
      caller: self.name,
      permissions,
      key_in: keyIn,
      file: profiles.fileOf(name),
    }
  },

  render({ profile, url, workspace, caller, key_in, file }, { paint }) {
    const where = key_in === 'keychain' ? 'the keychain' : file
    return [
      `Logged in to ${plainLine(url)} as ${paint.bold(plainLine(caller))} in the workspace ${plainLine(workspace)}.`,
      `The profile ${profile} is the current one; its key is in ${where}.`,
    ].join('\n')
  },
})

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
  const before = ['AUTHCONN_URL', 'AUTHCONN_API_KEY', 'AUTHCONN_API_KEY_FILE', 'AUTHCONN_DATA_DIR'].filter(
    (name) => env[name],
  )
  if (before.length === 0) return
  warn(`${before.join(' and ')} in the environment stands in the way of the profile, unless --profile names it.`)
}
