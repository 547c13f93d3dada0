import { AuthconnError } from '@authconn/sdk'
import { warnUnlessOpened } from '../authorize/send-person.ts'
import { obstacleToBrowser, surroundings } from '../authorize/surroundings.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { negated, text } from '../flags.ts'
import { existingName, givenName, nameFlag, nameOperand } from '../input/connection-name.ts'
import { findProvider, listProviders } from '../list-providers.ts'
import { plainLine } from '../output/plain.ts'

export const openConsole = defineCommand({
  description:
    'There the client secret is renewed, redirect URIs are registered and scopes are permitted. Only the address is printed in a pipe, with --json, and where no browser would be seen. The vault knows the consoles of the providers that authconn providers lists.',
  operand: nameOperand,
  flags: {
    ...nameFlag,
    provider: text('PROVIDER', 'the console of this provider, before there is a connection to it'),
    browser: negated('do not open a browser; print the address to open'),
  },
  examples: [
    ['authconn open google-oauth', 'to renew the client secret, or to register another redirect URI'],
    ['authconn open --provider google', 'to register an application in the first place'],
    ['authconn open google-oauth --no-browser', 'prints the address'],
  ],

  async run(ctx, { provider, browser, ...flags }, operands): Promise<Opened> {
    const console = await findConsole(ctx, provider, flags, operands)
    const obstacle = obstacleToBrowser(surroundings(ctx.env))
    const opening = browser && ctx.stdout.isTTY === true && !ctx.json && obstacle === undefined
    if (opening) await openPatiently(ctx, console.url)
    return { ...console, opened: opening }
  },

  // Nothing but the address, which may go into another program.
  render: ({ url }) => plainLine(url),

  next: ({ redirect_uri, note }) =>
    `The redirect URI to register there: ${redirect_uri}${note === null ? '' : `\n${note}`}`,
})

/** The program that opens a browser can last as long as the browser, and tells within a moment when there is none. */
async function openPatiently(ctx: Context, url: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, patience)
    warnUnlessOpened(ctx, url).then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Milliseconds. */
const patience = 1000

interface Console {
  provider: string
  url: string
  redirect_uri: string
  note: string | null
}

interface Opened extends Console {
  /** Whether a browser was told to open it. */
  opened: boolean
}

async function findConsole(
  ctx: Context,
  provider: string | undefined,
  flags: { name: string | undefined },
  operands: readonly string[],
): Promise<Console> {
  if (provider !== undefined) {
    if (givenName(flags, operands) !== undefined)
      throw new AuthconnError('usage', 'Give the name of a connection or --provider, and not both.')
    const { id, registration } = await findProvider(ctx, provider)
    return { note: null, ...registration, provider: id, url: checked(registration.url) }
  }
  const { signal } = ctx
  const name = await existingName(ctx, flags, operands)
  const vault = await ctx.vault()
  const asked = vault.call('getConnection', { params: { name } }, { signal })
  const { registration, ...connection } = await ctx.waitFor('Asking the vault', asked).catch(orProvider(ctx, name))
  if (registration === null || connection.provider === null) {
    throw new AuthconnError('usage', `The vault does not know the console of ${connection.provider_url}.`, {
      hint: `Look there, or in the provider's documentation, for where OAuth applications are registered; the client id is ${connection.client_id}, and the redirect URI of authconn authorize is http://127.0.0.1:8080/callback unless flags say otherwise.`,
    })
  }
  return { ...registration, provider: connection.provider, url: checked(registration.url) }
}

/** For who means the provider, and has no connection to it yet. */
function orProvider(ctx: Context, name: string) {
  return async (error: unknown): Promise<never> => {
    if (!(error instanceof AuthconnError) || error.code !== 'connection_not_found') throw error
    const providers = await listProviders(ctx)
    if (!providers.some(({ id }) => id === name)) throw error
    throw new AuthconnError(
      'connection_not_found',
      `There is no connection ${name}, and a provider of that name.`,
      {
        ...{ status: error.status, cause: error },
        hint: `For the console of the provider: \`authconn open --provider ${name}\`.`,
      },
    )
  }
}

/** Throws vault_answer_invalid: a browser is not handed just anything. */
function checked(url: string): string {
  if (URL.canParse(url) && new URL(url).protocol === 'https:') return url
  throw new AuthconnError('vault_answer_invalid', 'The vault gave the address of a console that is not https.')
}
