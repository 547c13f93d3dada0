import { type FileHandle, open } from 'node:fs/promises'
import { AuthconnError } from '@authconn/sdk'

/**
 * The text of a file that nobody else may read; undefined when there is none. Throws key_file_unsafe and
 * vault_not_configured.
 */
export async function readPrivateFile(file: string): Promise<string | undefined> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file, 'r')
    const { mode } = await handle.stat()
    // Windows has no such bits; there the directory's access list protects the file.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new AuthconnError(
        'key_file_unsafe',
        `${file} has mode ${(mode & 0o777).toString(8).padStart(4, '0')}.`,
      )
    }
    return await handle.readFile('utf8')
  } catch (error) {
    if (!(error instanceof Error) || error instanceof AuthconnError || !('code' in error)) throw error
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw new AuthconnError('vault_not_configured', `The credentials cannot be read: ${error.message}`, {
      cause: error,
    })
  } finally {
    await handle?.close()
  }
}

/** undefined when it is not JSON. The parser's own message is not kept: it quotes the file, and so the key. */
export function parseJson(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}
