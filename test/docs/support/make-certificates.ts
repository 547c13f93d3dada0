import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** An authority made for one run in that directory, and certificates of it for whatever name is asked for. */
export function makeCertificates(directory: string) {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const read = (name: string) => readFileSync(join(directory, name), 'utf8')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=docs')

  const made = new Map<string, { key: string; cert: string }>()
  return {
    authority: join(directory, 'ca.pem'),
    forName(name: string): { key: string; cert: string } {
      const known = made.get(name)
      if (known) return known
      const files = [
        '-keyout',
        'server.key',
        '-out',
        'server.pem',
        '-days',
        '2',
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
      ]
      const extensions = ['-addext', `subjectAltName=DNS:${name}`, '-addext', 'basicConstraints=critical,CA:FALSE']
      openssl('req', '-x509', ...key, ...files, '-subj', '/CN=server', ...extensions)
      const fresh = { key: read('server.key'), cert: read('server.pem') }
      made.set(name, fresh)
      return fresh
    },
  }
}
