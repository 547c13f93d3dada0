import { isPrivate, type KekSource, type KeyServiceAccess, type TransitAccess } from '../core/crypto/kek-source.ts'
import { type Environment, invalid, read, secret } from './read-setting.ts'
import type { SettingName } from './settings.ts'

/** Throws setting_invalid, also for what no key that is given would use: it was meant for one. */
export function readKeyServices(env: Environment, keks: readonly KekSource[] | undefined): KeyServiceAccess {
  const config = { gcpEndpoint: gcpEndpoint(env), transit: transit(env) }
  const isUsed = (kind: KekSource['kind']) => keks?.some((kek) => kek.kind === kind) ?? false
  for (const [kind, names] of [
    ['gcp-kms', gcpSettings],
    ['vault-transit', transitSettings],
  ] as const) {
    const unused = isUsed(kind) ? undefined : names.find((name) => read(env, name) !== undefined)
    if (unused) throw invalid(unused, `is set, but AUTHCONN_KEK names no ${kind} key that would use it`)
  }
  return Object.freeze(config)
}

const gcpSettings = ['AUTHCONN_GCP_KMS_ENDPOINT'] as const satisfies readonly SettingName[]
const transitSettings = [
  'AUTHCONN_TRANSIT_TOKEN',
  'AUTHCONN_TRANSIT_TOKEN_FILE',
  'AUTHCONN_TRANSIT_LOGIN',
  'AUTHCONN_TRANSIT_JWT_FILE',
  'AUTHCONN_TRANSIT_NAMESPACE',
] as const satisfies readonly SettingName[]

function gcpEndpoint(env: Environment): string | undefined {
  const name = 'AUTHCONN_GCP_KMS_ENDPOINT'
  const text = read(env, name)
  if (text === undefined) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !isPrivate(url) || url.href !== `${url.origin}/`) {
    throw invalid(name, 'must be an https URL without a path, such as https://cloudkms-NAME.p.googleapis.com')
  }
  return url.origin
}

function transit(env: Environment): TransitAccess {
  // Read for the check alone: the file is read again at every use.
  const token = secret(env, 'AUTHCONN_TRANSIT_TOKEN', 'AUTHCONN_TRANSIT_TOKEN_FILE')
  if (token && !/^[\x21-\x7e]+$/.test(token.value.reveal())) {
    throw invalid(token.from, 'holds something that cannot be sent as a token')
  }
  const login = transitLogin(env)
  if (token && login) throw invalid('AUTHCONN_TRANSIT_LOGIN', `and ${token.from} are both set: keep one of them`)
  const namespace = read(env, 'AUTHCONN_TRANSIT_NAMESPACE')
  if (namespace !== undefined && !/^[\w./-]+$/.test(namespace)) {
    throw invalid('AUTHCONN_TRANSIT_NAMESPACE', `must be the path of a namespace, not "${namespace}"`)
  }
  const tokenFile = read(env, 'AUTHCONN_TRANSIT_TOKEN_FILE')
  return Object.freeze({ token: tokenFile === undefined ? token?.value : undefined, tokenFile, login, namespace })
}

/** Where Kubernetes puts the token of a pod's service account. */
const podToken = '/var/run/secrets/kubernetes.io/serviceaccount/token'

function transitLogin(env: Environment): TransitAccess['login'] {
  const text = read(env, 'AUTHCONN_TRANSIT_LOGIN')
  const jwtFile = read(env, 'AUTHCONN_TRANSIT_JWT_FILE')
  if (text === undefined) {
    if (jwtFile !== undefined)
      throw invalid('AUTHCONN_TRANSIT_JWT_FILE', 'is for AUTHCONN_TRANSIT_LOGIN, which is not set')
    return undefined
  }
  const [, mount, role] = /^([\w./-]+):([\w.-]+)$/.exec(text) ?? []
  if (!mount || !role)
    throw invalid('AUTHCONN_TRANSIT_LOGIN', `must be MOUNT:ROLE, such as kubernetes:authconn, not "${text}"`)
  return Object.freeze({ mount, role, jwtFile: jwtFile ?? podToken })
}
