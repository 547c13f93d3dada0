import type { Secret } from '../../core/secret.ts'

/** What a client shows of itself in TLS (RFC 8705): its certificate, chain included, and the key to it, both PEM. */
export interface ClientCertificate {
  key: Secret
  certificate: string
}
