import { credentialsPath } from './adapters/files/credentials-file.ts'
import type { Secret } from './core/secret.ts'

/** Once, and to a person only: standard output and error of a service end up in log stores. */
export function showAdminKey(key: Secret, dataDirectory: string): void {
  const kept = `It is kept in ${credentialsPath(dataDirectory)} for the command line on this machine.`
  process.stderr.write(
    process.stderr.isTTY
      ? `\nThe administrator's API key, shown this once:\n\n  ${key.reveal()}\n\n${kept}\n\n`
      : `The administrator's API key was made. ${kept}\n`,
  )
}
