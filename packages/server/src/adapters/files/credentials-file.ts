import { join } from 'node:path'
import { type LocalCredentials, localCredentialsFile } from '@authconn/shared/local'
import { AuthconnError } from '../../core/errors.ts'
import type { Secret } from '../../core/secret.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** A vault that has made its key and does not listen yet has no proof to offer. */
export type KnownCredentials = Omit<LocalCredentials, 'proof_key'> & Partial<Pick<LocalCredentials, 'proof_key'>>

/** Keeps the administrator's key for the local command line. */
export function keepAdminKey(
  dataDirectory: string,
  vault: Omit<KnownCredentials, 'api_key'>,
  apiKey: Secret,
): void {
  write(dataDirectory, { ...vault, api_key: apiKey.reveal() })
}

/** What this directory holds; undefined when nothing. Throws key_file_unsafe, credentials_file_invalid. */
export function readCredentials(dataDirectory: string): KnownCredentials | undefined {
  const path = credentialsPath(dataDirectory)
  const text = readPrivateFile(path)
  if (text === undefined) return undefined
  const credentials = parse(text)
  // Without the parser's own words: they quote the text, which may hold a key.
  if (!credentials)
    throw new AuthconnError('credentials_file_invalid', `${path} is not what the vault wrote there`)
  return credentials
}

/**
 * Says where the vault listens now and how it can prove that it does, if this directory holds a key at all. Throws as
 * `readCredentials`.
 */
export function updateCredentials(dataDirectory: string, url: string, proofKey: Secret): void {
  const known = readCredentials(dataDirectory)
  if (known) write(dataDirectory, { ...known, url, proof_key: proofKey.reveal() })
}

export function credentialsPath(dataDirectory: string): string {
  return join(dataDirectory, localCredentialsFile)
}

function parse(text: string): KnownCredentials | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('url' in value) || !('api_key' in value)) return undefined
  const { url, api_key } = value
  if (typeof url !== 'string' || typeof api_key !== 'string') return undefined
  const proof_key = 'proof_key' in value ? value.proof_key : undefined
  return { url, api_key, ...(typeof proof_key === 'string' ? { proof_key } : {}) }
}

function write(dataDirectory: string, credentials: KnownCredentials): void {
  writePrivateFile(credentialsPath(dataDirectory), `${JSON.stringify(credentials, null, 2)}\n`)
}
