const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name could not be looked up',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_SOCKET: 'the connection was closed',
  CERT_HAS_EXPIRED: 'its TLS certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its TLS certificate is signed by itself (NODE_EXTRA_CA_CERTS names a file of further authorities)',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its TLS certificate is not from a known authority (NODE_EXTRA_CA_CERTS names a file of further ones)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its TLS certificate is not from a known authority (NODE_EXTRA_CA_CERTS names a file of further ones)',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its TLS certificate is not from a known authority (NODE_EXTRA_CA_CERTS names a file of further ones)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
}

/** Why a fetch failed, in words: the reason is in the cause, or in the cause's first error where several were tried. */
export function explainFailure(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = next(at)) {
    if ('code' in at && typeof at.code === 'string' && at.code !== '') return reasons[at.code] ?? at.code
    if (next(at) === undefined) return at.message
  }
  return String(error)
}

function next(error: Error): unknown {
  return error.cause ?? (error instanceof AggregateError ? error.errors[0] : undefined)
}
