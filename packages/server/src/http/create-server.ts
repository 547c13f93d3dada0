import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type ServerOptions, Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Secret } from '../core/secret.ts'
import { boundConnections } from './bound-connections.ts'

export interface TlsMaterial {
  /** The certificate and what is between it and the root, in PEM. */
  cert: string
  key: Secret
}

/**
 * The server below the vault's HTTP: its times and sizes, and TLS where there is a certificate. Bounds are given here
 * and not left to Node's defaults, which flags in NODE_OPTIONS change.
 */
export function createServer(
  listener: RequestListener,
  options: { tls: TlsMaterial | undefined; maxConnections: number; onFull: () => void },
): Server {
  const { tls, maxConnections, onFull } = options
  const server = tls
    ? createTlsServer({ ...httpRules, ...tlsOptions(tls) }, listener)
    : createPlainServer(httpRules, listener)
  // What fails before there is TLS cannot be answered; an answer would wait for it, and its connection with it.
  server.prependListener('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
  boundConnections(server, { most: maxConnections, isTls: tls !== undefined, onFull })
  return server
}

/** For new connections; those that are open stay as they are. */
export function replaceCertificate(server: Server, tls: TlsMaterial): void {
  if (!(server instanceof TlsServer)) throw new TypeError('A server without TLS has no certificate')
  server.setSecureContext(tlsOptions(tls))
}

const httpRules = {
  // How late a slow client may be noticed.
  connectionsCheckingInterval: 2_000,
  // From the connection on, so that one that says nothing is closed as well.
  headersTimeout: 10_000,
  // A whole request must arrive in this time, however slowly its bytes drip.
  requestTimeout: 20_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16 * 1024,
  insecureHTTPParser: false,
  requireHostHeader: true,
  // A request that has no body by its head gets no stream of one, whose events cost every fetch (decision 0048).
  optimizeEmptyRequests: true,
}

/** Of TLS 1.2 only what has forward secrecy and authenticates what it encrypts: Mozilla's "intermediate". */
const tlsRules: ServerOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [
    ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
    ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
    ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
    ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ].join(':'),
  handshakeTimeout: 10_000,
  ALPNProtocols: ['http/1.1'],
}

function tlsOptions({ cert, key }: TlsMaterial): ServerOptions {
  return { ...tlsRules, cert, key: key.reveal() }
}
