import type { Connection } from '@authconn/sdk'
import { cannotCatch, ownPage, registeredHost } from '../authorize/registered-redirect.ts'
import { defineCommand } from '../command.ts'
import { nameFlag, nameOperand } from '../input/connection-name.ts'
import { connectionFlags, newConnection } from '../input/new-connection.ts'
import { describeConnection } from '../output/connection.ts'
import { plainLine } from '../output/plain.ts'

export const create = defineCommand({
  description:
    'What is missing is asked for in a terminal. The provider is given by its name (authconn providers lists them), or recognized by its URL or discovered from it; where it can be neither, give its endpoints by flags. The client secret or private key is sealed in the vault and cannot be read back.',
  operand: nameOperand,
  flags: { ...nameFlag, ...connectionFlags },
  examples: [
    ['authconn create', 'asks for everything'],
    [
      'authconn create google --provider google --client-id ID --client-secret-file secret.txt',
      'a known provider',
    ],
    [
      'authconn create salesforce --provider salesforce --subdomain acme.my --client-id ID --client-secret-file secret.txt',
      'one whose URLs differ by customer',
    ],
    [
      'authconn create google-oauth --provider-url https://accounts.google.com --client-id ID --client-secret-file secret.txt',
      'a provider known by name',
    ],
    [
      'pass show acme | authconn create acme --provider-url https://id.acme.example --client-id ID --client-secret -',
      'the secret from standard input',
    ],
    [
      'authconn create legacy --provider-url https://acme.example --authorization-endpoint https://acme.example/authorize --token-endpoint https://acme.example/token --client-id ID --client-secret-file secret.txt',
      'a provider that cannot be discovered',
    ],
    [
      'authconn create bank --provider-url https://id.bank.example --client-id ID --client-auth private_key_jwt --private-key-file key.pem --key-id 2026-11',
      'a client that signs with its key instead of having a secret',
    ],
    [
      'authconn create bank-mtls --provider-url https://id.bank.example --client-id ID --client-auth tls_client_auth --private-key-file key.pem --client-cert-file cert.pem',
      'a client that shows its certificate',
    ],
    [
      'authconn create reports --provider-url https://id.acme.example --grant-type client_credentials --client-id ID --client-secret-file secret.txt --scopes reports:read',
      'tokens of the client itself, for which nobody has to consent',
    ],
    [
      'authconn create drive --grant-type jwt_bearer --service-account-file key.json --scopes https://www.googleapis.com/auth/drive.readonly',
      'a Google service account',
    ],
    [
      'authconn create crm --provider salesforce --grant-type jwt_bearer --client-id ID --private-key-file key.pem --assertion-subject integration@acme.example',
      'a Salesforce user, by a signed assertion',
    ],
  ],

  async run(ctx, flags, operands): Promise<Connection> {
    const { signal } = ctx
    const body = await newConnection(ctx, flags, operands)
    const vault = await ctx.vault()
    return ctx.waitFor('Creating the connection', vault.call('createConnection', { body }, { signal }))
  },

  render: (connection, view) =>
    `Created ${view.paint.bold(plainLine(connection.name))}.\n${describeConnection(connection, view)}`,

  next({ name, registration, grant_type: grantType }) {
    if (grantType !== 'authorization_code') return `Next: authconn token ${name}`
    const uri = registration?.redirect_uri ?? 'http://127.0.0.1:8080/callback'
    const at = registration?.url ?? 'the provider'
    const note = registration?.note ? `\n${registration.note}` : ''
    if (registeredHost({ registration }) === undefined) {
      return `Next: register a redirect URI of your own, such as ${uri}, at ${at}: ${cannotCatch}. ${ownPage}${note}`
    }
    return `Next: register the redirect URI ${uri} at ${at}, then: authconn authorize ${name}${note}`
  },
})
