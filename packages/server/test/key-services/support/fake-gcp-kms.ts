import { createServiceKey } from './cipher.ts'
import { type Call, type FakeService, type Reply, serveKeyService } from './serve-key-service.ts'

export const gcpName = 'projects/example/locations/europe-west1/keyRings/authconn/cryptoKeys/kek'

export interface FakeGcpKms extends FakeService {
  /** With which Google's library finds its metadata server, and so credentials. */
  environment: Record<string, string>
  endpoint: string
  /** Of the machine that calls it: gives credentials. */
  metadata: FakeService
}

/** Google Cloud KMS with one key, by its REST interface, and the metadata server of the machine that calls it. */
export async function fakeGcpKms(): Promise<FakeGcpKms> {
  const key = createServiceKey()
  const token = 'ya29.of-the-service-account'
  const metadata = await serveKeyService((call) => answerMetadata(call, token))
  const service = await serveKeyService((call) =>
    call.headers.authorization === `Bearer ${token}` ? operate(call) : refuse(401, 'UNAUTHENTICATED'),
  )

  function operate({ method, path, body }: Call): Reply {
    const additional: string = body?.additionalAuthenticatedData ?? ''
    if (method === 'POST' && path === `/v1/${gcpName}:encrypt`) {
      const ciphertext = key.encrypt(Buffer.from(body.plaintext, 'base64'), additional).toString('base64')
      return { status: 200, body: { name: `${gcpName}/cryptoKeyVersions/1`, ciphertext } }
    }
    if (method === 'POST' && path === `/v1/${gcpName}:decrypt`) {
      const plaintext = key.decrypt(Buffer.from(body.ciphertext, 'base64'), additional)
      return plaintext
        ? { status: 200, body: { plaintext: plaintext.toString('base64') } }
        : refuse(400, 'INVALID_ARGUMENT')
    }
    return refuse(404, 'NOT_FOUND')
  }

  return Object.assign(service, {
    endpoint: `http://127.0.0.1:${service.port}`,
    environment: {
      // Nothing of the developer's own, which would be found below HOME.
      HOME: '/nonexistent',
      GOOGLE_APPLICATION_CREDENTIALS: '',
      AUTHCONN_GCP_KMS_ENDPOINT: `http://127.0.0.1:${service.port}`,
      GCE_METADATA_HOST: `127.0.0.1:${metadata.port}`,
      METADATA_SERVER_DETECTION: 'assume-present',
      // Otherwise the library asks the machine's gcloud, where there is one, and that takes a second.
      GOOGLE_CLOUD_PROJECT: 'example',
    },
    metadata,
  })
}

export function refuse(status: number, reason: string): Reply {
  return { status, body: { error: { code: status, message: `about ${gcpName}`, status: reason } } }
}

function answerMetadata({ path, headers }: Call, token: string): Reply {
  const flavor = { 'metadata-flavor': 'Google' }
  if (headers['metadata-flavor'] !== 'Google') return { status: 403, headers: flavor }
  if (path.includes('/service-accounts/default/token')) {
    return { status: 200, headers: flavor, body: { access_token: token, expires_in: 3600, token_type: 'Bearer' } }
  }
  return { status: 200, headers: flavor, body: 'example' }
}
