import { AuthconnError } from '@authconn/sdk'
import type { NewClientKey } from '@authconn/shared'
import type { Context } from '../context.ts'
import { type FlagValues, oneOf, text } from '../flags.ts'
import { defined } from './defined.ts'
import { readTextFile } from './read-secret.ts'

const authMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
] as const

const keyAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** How a client authenticates, and the key it does that with where it has no secret. */
export const authenticationFlags = {
  clientAuth: oneOf(
    authMethods,
    'how the client authenticates, where the provider does not say or offers several',
  ),
  privateKeyFile: text('FILE', 'a file that holds a private key in PEM, in the place of a client secret'),
  keyId: text('ID', 'the key id (kid) by which the provider knows it'),
  keyAlg: oneOf(keyAlgorithms, 'how it signs, where it could in several ways'),
  clientCertFile: text('FILE', 'a file that holds its certificate in PEM, to authenticate in TLS with'),
}

type Given = FlagValues<typeof authenticationFlags>

/** The client's key; undefined when no flag gives one. Throws usage, also for what goes with a key that is not there. */
export async function readClientKey(
  ctx: Pick<Context, 'signal'>,
  flags: Given,
): Promise<NewClientKey | undefined> {
  const { privateKeyFile, keyId, keyAlg, clientCertFile } = flags
  if (privateKeyFile === undefined) {
    const [extra] = Object.entries({
      '--key-id': keyId,
      '--key-alg': keyAlg,
      '--client-cert-file': clientCertFile,
    })
      .filter(([, value]) => value !== undefined)
      .map(([flag]) => flag)
    if (extra) throw new AuthconnError('usage', `${extra} goes with a private key: add --private-key-file.`)
    return undefined
  }
  return {
    private_key: await readPem(ctx, privateKeyFile, 'private key'),
    ...defined({
      key_id: keyId,
      algorithm: keyAlg,
      certificate: clientCertFile === undefined ? undefined : await readPem(ctx, clientCertFile, 'certificate'),
    }),
  }
}

/** What is in it is for the vault to judge; what is no PEM at all is not sent anywhere. */
async function readPem(ctx: Pick<Context, 'signal'>, file: string, what: string): Promise<string> {
  const pem = await readTextFile(ctx, file, what)
  if (/^-----BEGIN [A-Z0-9 ]+-----$/m.test(pem)) return pem
  throw new AuthconnError('usage', `${file} holds no ${what} in PEM.`)
}
