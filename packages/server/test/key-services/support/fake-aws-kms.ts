import { createServiceKey } from './cipher.ts'
import { type Call, type FakeService, type Reply, serveKeyService } from './serve-key-service.ts'

export const awsArn = 'arn:aws:kms:eu-west-1:111122223333:key/0b3f6f1e-7f5c-4a1e-9c51-0f6b8a3f2d10'

export interface FakeAwsKms extends FakeService {
  /** With which the client of AWS finds it, and credentials. */
  environment: Record<string, string>
}

/** AWS KMS with one key, by its JSON protocol. */
export async function fakeAwsKms(arn = awsArn): Promise<FakeAwsKms> {
  const key = createServiceKey()
  const region = arn.split(':')[3] ?? ''
  const service = await serveKeyService((call) => signatureProblem(call, region) ?? operate(call))

  function operate({ headers, body }: Call): Reply {
    if (body.KeyId !== arn) return refuse('NotFoundException', `Key '${body.KeyId}' does not exist`)
    const context = JSON.stringify(Object.entries(body.EncryptionContext ?? {}).sort())
    switch (headers['x-amz-target']) {
      case 'TrentService.Encrypt': {
        const blob = key.encrypt(Buffer.from(body.Plaintext, 'base64'), context)
        return { status: 200, body: { CiphertextBlob: blob.toString('base64'), KeyId: arn } }
      }
      case 'TrentService.Decrypt': {
        const plaintext = key.decrypt(Buffer.from(body.CiphertextBlob, 'base64'), context)
        if (!plaintext) return refuse('InvalidCiphertextException', '')
        return { status: 200, body: { Plaintext: plaintext.toString('base64'), KeyId: arn } }
      }
      default:
        return refuse('UnknownOperationException', '')
    }
  }

  return Object.assign(service, {
    environment: {
      // Nothing of the developer's own.
      AWS_PROFILE: '',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_ENDPOINT_URL_KMS: `http://127.0.0.1:${service.port}`,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    },
  })
}

export function refuse(type: string, message: string): Reply {
  return { status: 400, body: { __type: type, message } }
}

/** Signature version 4, for this region and service, over what matters. */
function signatureProblem({ headers }: Call, region: string): Reply | undefined {
  const form = new RegExp(
    `^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\\d{8}/${region}/kms/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}$`,
  )
  const [, signed = ''] = form.exec(headers.authorization ?? '') ?? []
  const isWhole = ['host', 'x-amz-date', 'x-amz-target'].every((name) => signed.split(';').includes(name))
  return isWhole && headers['x-amz-date'] ? undefined : refuse('IncompleteSignatureException', 'not signed')
}
