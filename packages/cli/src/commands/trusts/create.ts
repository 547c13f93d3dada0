import { audienceOf } from '@authconn/sdk'
import type { Trust } from '@authconn/shared'
import { defineCommand } from '../../command.ts'
import { clientOf } from '../../connect-to-vault.ts'
import { plainLine } from '../../output/plain.ts'
import { describeTrust } from '../../output/trust.ts'
import { findVault } from '../../profiles/find-vault.ts'
import { newTrust } from '../../trusts/new-trust.ts'
import { nextStep } from '../../trusts/next-step.ts'
import { presetMeanings, trustFlags } from '../../trusts/trust-flags.ts'
import { warnOfWidth } from '../../trusts/warn-of-width.ts'

interface Created {
  trust: Trust
  next: string
}

export const createTrust = defineCommand({
  description:
    'The vault then gives a short-lived key to whoever shows an OIDC token of this issuer for this audience whose claims are what you say: all of them. So a CI job, a pod or a person needs no stored key. What is missing is asked for in a terminal. A trust gives nothing that you do not hold yourself; what is not said is as it is for you. Bind ids rather than names where there are any: a name can be taken over by somebody else.',
  operand: { label: 'trust', help: 'the name of the trust: letters, digits, dots, hyphens and underscores' },
  flags: trustFlags,
  terms: { heading: 'Presets', meanings: presetMeanings },
  examples: [
    [
      "authconn trusts create deploy --preset github --repository-id 123456 --environment production --connection 'google-*'",
      'jobs of one repository in one environment, with GitHub Actions',
    ],
    [
      'authconn trusts create reports --preset gitlab --project-id 4711 --ref-protected --connection google-oauth',
      'jobs of one project on protected branches; --issuer for your own instance',
    ],
    [
      "authconn trusts create web --preset kubernetes --issuer https://oidc.example.com/cluster-1 --namespace shop --service-account web --connection 'shop-*' --all-subjects",
      'pods of a service account; --jwks-file where the vault cannot reach the cluster',
    ],
    [
      "authconn trusts create staff --preset people --issuer https://id.example.com --client-id authconn-cli --email-domain example.com --connection '*-dev' --allow connection:read,connection:authorize,token:read",
      'people of the company, by authconn login --oidc',
    ],
    [
      'authconn trusts create build --preset generic --issuer https://ci.example.com --claim sub=pipeline:42 --connection google-oauth --max-age 5m',
      'anything else that signs OIDC tokens',
    ],
  ],

  async run(ctx, flags, operands): Promise<Created> {
    const { signal } = ctx
    const found = await findVault(ctx.env, ctx.wanted, ctx.openKeychain)
    const vault = clientOf(found)
    const body = await newTrust(ctx, flags, operands, found.url)
    const audience = audienceOf(found.url)
    if (body.login && flags.loginUrl === undefined && /^http:/.test(audience)) {
      ctx.warn(
        `people log in to the vault as ${audience}, an address of this machine. Where they know it by another, give that as --login-url.`,
      )
    }
    if (flags.audience === undefined && body.preset !== 'people' && /^http:/.test(audience)) {
      ctx.warn(
        `the audience is ${audience}, an address of this machine. Where others know the vault by another, give that as --audience.`,
      )
    }
    warnOfWidth(ctx, body)
    // Asked before: once the trust is made, nothing is to fail any more.
    const { workspace } = await ctx.waitFor('Asking the vault', vault.call('getSelf', {}, { signal }))
    const created = await ctx.waitFor('Creating the trust', vault.call('createTrust', { body }, { signal }))
    return { trust: created, next: nextStep(created, { url: found.url, audience, workspace }) }
  },

  render: ({ trust }, view) => `Created ${view.paint.bold(plainLine(trust.name))}.\n${describeTrust(trust, view)}`,
  json: ({ trust }) => trust,
  next: ({ next }) => next,
})
