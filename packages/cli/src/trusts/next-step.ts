import type { Trust } from '@authconn/shared'

/** What a job, a pod or a person needs to use a trust, in a line or two. */
export function nextStep(trust: Trust, vault: { url: string; audience: string; workspace: string }): string {
  const { preset, name } = trust
  const [audience = vault.audience] = trust.audience
  const variables = [
    `AUTHCONN_URL=${vault.url}`,
    ...(vault.workspace === 'default' ? [] : [`AUTHCONN_WORKSPACE=${vault.workspace}`]),
  ]
  const forJob = [...variables, ...(audience === vault.audience ? [] : [`AUTHCONN_AUDIENCE=${audience}`])].join(
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
      return `Next: authconn login --oidc --vault-url ${trust.login?.vault_url ?? vault.url}${workspace} --trust ${name}`
    }
    case null:
      return `Next, where the tokens are: AUTHCONN_ID_TOKEN or AUTHCONN_ID_TOKEN_FILE, and ${variables.join(' ')}.`
  }
}
