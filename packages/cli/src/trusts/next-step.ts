import { audienceOf } from '@authconn/sdk'
import type { Trust } from '@authconn/shared'
import { isEntra } from './entra.ts'

/** What a job, a pod or a person needs to use a trust, in a line or two. */
export function nextStep(trust: Trust, vault: { url: string; audience: string; workspace: string }): string {
  const { preset, name } = trust
  const [audience = vault.audience] = trust.audience
  const url = urlElsewhere(vault.url, audience)
  const variables = [
    `AUTHCONN_URL=${url}`,
    ...(vault.workspace === 'default' ? [] : [`AUTHCONN_WORKSPACE=${vault.workspace}`]),
  ]
  const forJob = [...variables, ...(audience === audienceOf(url) ? [] : [`AUTHCONN_AUDIENCE=${audience}`])].join(
    ' ',
  )
  switch (preset) {
    case 'github':
      return `Next, in the job: permissions: id-token: write, and ${forJob}; no secret.`
    case 'gitlab':
      return `Next, in the job: id_tokens: AUTHCONN_ID_TOKEN: aud: ${audience}, and ${variables.join(' ')}; no secret.`
    case 'kubernetes':
      return `Next, in the pod: a projected service account token for ${audience}, AUTHCONN_ID_TOKEN_FILE with its path, and ${variables.join(' ')}.`
    case 'people': {
      const workspace = vault.workspace === 'default' ? '' : ` --workspace ${vault.workspace}`
      const host = isEntra(trust.issuer) ? ' --redirect-host localhost' : ''
      return `Next: authconn login --oidc --vault-url ${trust.login?.vault_url ?? vault.url}${workspace} --trust ${name}${host}`
    }
    case null: {
      const next = `Next, where the tokens are: AUTHCONN_ID_TOKEN or AUTHCONN_ID_TOKEN_FILE, and ${variables.join(' ')}.`
      return trust.single_use
        ? `${next}\nEach token is taken once: a second command needs a new one, or a trust made with --reusable.`
        : next
    }
  }
}

/** An audience that is a URL says by which the vault is known, where the one that was used is of this machine alone. */
function urlElsewhere(url: string, audience: string): string {
  return url.startsWith('http:') && /^https:\/\/[^/]/.test(audience) ? audience : url
}
