import { credentialsPath } from './adapters/files/credentials-file.ts'
import { operatorPath } from './adapters/files/operator-file.ts'
import type { Secret } from './core/secret.ts'

export function showAdminKey(key: Secret, dataDirectory: string): void {
  show("The administrator's", key, credentialsPath(dataDirectory))
}

export function showOperatorKey(key: Secret, dataDirectory: string): void {
  show("The operator's", key, operatorPath(dataDirectory))
}

/** Once, and to a person only: standard output and error of a service end up in log stores. */
function show(whose: string, key: Secret, file: string): void {
  const kept = `It is kept in ${file} for the command line on this machine.`
  process.stderr.write(
    process.stderr.isTTY
      ? `\n${whose} API key, shown this once:\n\n  ${key.reveal()}\n\n${kept}\n\n`
      : `${whose} API key was made. ${kept}\n`,
  )
}
