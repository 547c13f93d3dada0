import { readTlsFiles, type TlsCertificate } from './adapters/files/tls-files.ts'
import type { TlsFiles } from './config/load-config.ts'
import type { Logger } from './logger.ts'

export interface Certificate {
  current(): TlsCertificate
  /** Gives on what the files hold now, if that has changed and is right. */
  reload(serve: (found: TlsCertificate) => void): void
}

const twoWeeks = 14 * 86_400_000

/** The certificate that the vault serves. Throws what readTlsFiles throws; a reload does not, it keeps what it has. */
export function keepCertificate(files: TlsFiles, log: Logger): Certificate {
  let certificate = readTlsFiles(files)
  announce(certificate, log)

  return {
    current: () => certificate,
    reload(serve) {
      try {
        const found = readTlsFiles(files)
        if (found.cert === certificate.cert && found.key.reveal() === certificate.key.reveal()) return
        serve(found)
        certificate = found
        announce(certificate, log)
      } catch (error) {
        log.error({ error }, 'the TLS certificate cannot be reloaded: the former one is served')
      }
    },
  }
}

function announce({ x509 }: TlsCertificate, log: Logger): void {
  const { subjectAltName, validTo, validToDate } = x509
  log.info({ names: subjectAltName ?? 'none', validTo }, 'serving TLS with a certificate')
  if (validToDate.getTime() - Date.now() < twoWeeks)
    log.warn({ validTo }, 'the TLS certificate ends soon or has ended')
}
