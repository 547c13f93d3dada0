import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { TlsFiles } from '../../config/load-config.ts'
import { AuthconnError } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'

export interface TlsCertificate {
  /** The certificate and what is between it and the root, in PEM. */
  cert: string
  key: Secret
  x509: X509Certificate
}

/** A certificate and its key. Throws setting_invalid, which names the setting, and key_file_unsafe. */
export function readTlsFiles({ certFile, keyFile }: TlsFiles): TlsCertificate {
  const cert = read('AUTHCONN_TLS_CERT_FILE', certFile)
  refuseOpenKey(keyFile)
  const key = read('AUTHCONN_TLS_KEY_FILE', keyFile)
  const x509 = parseCertificate(cert, certFile)
  if (!x509.checkPrivateKey(parseKey(key, keyFile))) {
    throw invalid(`AUTHCONN_TLS_KEY_FILE is not the key of the first certificate in ${certFile}: ${keyFile}`)
  }
  return { cert, key: new Secret(key), x509 }
}

/** As PostgreSQL has it: for the owner alone, or for a group too where it belongs to root, as mounted secrets do. */
function refuseOpenKey(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat || process.platform === 'win32') return
  const forbidden = stat.uid === 0 && process.getuid?.() !== 0 ? 0o037 : 0o077
  if ((stat.mode & forbidden) === 0) return
  throw new AuthconnError(
    'key_file_unsafe',
    `${path} has mode ${(stat.mode & 0o777).toString(8)}; only its owner may read it, or a group where root owns it`,
  )
}

function read(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw invalid(`${setting} names a file that cannot be read: ${path}`, cause)
  }
}

function parseCertificate(text: string, path: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch (cause) {
    throw invalid(`AUTHCONN_TLS_CERT_FILE holds no certificate in PEM: ${path}`, cause)
  }
}

function parseKey(text: string, path: string): KeyObject {
  try {
    return createPrivateKey(text)
  } catch {
    // Without OpenSSL's words and the parser's: this is the one text that must not get about.
    throw invalid(`AUTHCONN_TLS_KEY_FILE holds no private key in PEM that opens without a passphrase: ${path}`)
  }
}

function invalid(detail: string, cause?: unknown): AuthconnError {
  return new AuthconnError('setting_invalid', detail, cause === undefined ? {} : { cause })
}
