import { join } from 'node:path'
import { AuthconnError } from '@authconn/sdk'
import {
  defaultDataDirectory,
  type LocalCredentials,
  localCredentialsFile,
  localOperatorFile,
} from '@authconn/shared/local'
import { parseJson, readPrivateFile } from './read-private-file.ts'

export interface FoundCredentials {
  /** Where they are, or would be. */
  file: string
  /** An older vault wrote no proof key. */
  credentials: (Omit<LocalCredentials, 'proof_key'> & { proof_key: string | undefined }) | undefined
}

/** What a vault on this machine left for the command line. Throws vault_not_configured and key_file_unsafe. */
export async function findLocalCredentials(
  env: Readonly<Record<string, string | undefined>>,
): Promise<FoundCredentials> {
  const file = pathOf(localCredentialsFile, env)
  const content = await readPrivateFile(file)
  return { file, credentials: content === undefined ? undefined : parse(content, file) }
}

/** What `authconn-server operator-key` left beside them. Throws vault_not_configured and key_file_unsafe. */
export async function findOperatorKey(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const file = pathOf(localOperatorFile, env)
  const content = await readPrivateFile(file)
  if (content === undefined) return undefined
  const value = parseJson(content)
  const key = typeof value === 'object' && value !== null && 'api_key' in value ? value.api_key : undefined
  if (typeof key === 'string') return key
  throw new AuthconnError('vault_not_configured', `${file} is damaged: it does not hold an API key.`, {
    hint: 'Remove it and make another operator with `authconn-server operator-key`, or set AUTHCONN_API_KEY.',
  })
}

function pathOf(file: string, env: Readonly<Record<string, string | undefined>>): string {
  return join(env.AUTHCONN_DATA_DIR || defaultDataDirectory(env), file)
}

function parse(content: string, file: string): FoundCredentials['credentials'] {
  const value = parseJson(content)
  if (typeof value === 'object' && value !== null && 'url' in value && 'api_key' in value) {
    const { url, api_key } = value
    if (typeof url === 'string' && typeof api_key === 'string' && URL.canParse(url)) {
      return { url, api_key, proof_key: 'proof_key' in value ? readProofKey(value.proof_key) : undefined }
    }
  }
  throw new AuthconnError('vault_not_configured', `${file} is damaged: it does not hold a URL and an API key.`, {
    hint: 'Start the vault again, which writes it, or set AUTHCONN_URL and AUTHCONN_API_KEY.',
  })
}

/** 32 bytes and no fewer: anybody can prove to know an empty key. */
function readProofKey(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w-]{43}$/.test(value) ? value : undefined
}
