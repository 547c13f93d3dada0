import { join } from 'node:path'
import { localOperatorFile } from '@authconn/shared/local'
import type { Secret } from '../../core/secret.ts'
import { writePrivateFile } from './private-file.ts'

/** Keeps an operator's key for the local command line, beside the administrator's and not in its place. */
export function keepOperatorKey(dataDirectory: string, name: string, apiKey: Secret): void {
  writePrivateFile(operatorPath(dataDirectory), `${JSON.stringify({ name, api_key: apiKey.reveal() }, null, 2)}\n`)
}

export function operatorPath(dataDirectory: string): string {
  return join(dataDirectory, localOperatorFile)
}
