import { join } from 'node:path'
import { type LocalCredentials, localCredentialsFile } from '@authconn/shared/local'
import type { Secret } from '../../core/secret.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** Keeps the administrator's key for the local command line. */
export function keepAdminKey(dataDirectory: string, url: string, apiKey: Secret): void {
  write(dataDirectory, { url, api_key: apiKey.reveal() })
}

/** Says where the vault listens now, if this directory holds a key at all. */
export function updateLocalUrl(dataDirectory: string, url: string): void {
  const known = read(dataDirectory)
  if (known && known.url !== url) write(dataDirectory, { ...known, url })
}

export function credentialsPath(dataDirectory: string): string {
  return join(dataDirectory, localCredentialsFile)
}

function read(dataDirectory: string): LocalCredentials | undefined {
  const text = readPrivateFile(credentialsPath(dataDirectory))
  return text === undefined ? undefined : JSON.parse(text)
}

function write(dataDirectory: string, credentials: LocalCredentials): void {
  writePrivateFile(credentialsPath(dataDirectory), `${JSON.stringify(credentials, null, 2)}\n`)
}
