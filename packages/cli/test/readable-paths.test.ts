import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { defaultDataDirectory } from '@authconn/shared/local'
import { expect, onTestFinished, test, vi } from 'vitest'
import { readablePaths } from '../src/functions/readable-paths.ts'

/** A package that holds a function and these files, and which of them the function could read. */
async function readable(files: readonly string[], env: (root: string) => Record<string, string>) {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'authconn-readable-')))
  onTestFinished(() => rm(root, { recursive: true }))
  for (const file of ['function.ts', ...files]) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), '')
  }
  const paths = await readablePaths(join(root, 'function.ts'), env(root))
  return files.filter((file) => paths.some((path) => `${join(root, file)}/`.startsWith(`${path}/`)))
}

test('the whole package may be read where the vault left nothing in it', async () => {
  expect(await readable(['a/b.ts'], () => ({}))).toEqual(['a/b.ts'])
})

test.each([
  ['AUTHCONN_CONFIG_DIR', 'settings/profiles/prod.json', (root: string) => join(root, 'settings')],
  ['XDG_CONFIG_HOME', 'config/authconn/profiles/prod.json', (root: string) => join(root, 'config')],
  ['HOME', '.config/authconn/profiles/prod.json', (root: string) => root],
  ['AUTHCONN_DATA_DIR', 'data/credentials.json', (root: string) => join(root, 'data')],
  ['AUTHCONN_API_KEY_FILE', 'key.txt', (root: string) => join(root, 'key.txt')],
] as const)('what %s leads to is withheld', async (name, file, value) => {
  expect(await readable(['beside.txt', file], (root) => ({ [name]: value(root) }))).toEqual(['beside.txt'])
})

test('the profiles are withheld where Windows keeps them', async () => {
  const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue('win32')
  onTestFinished(() => platform.mockRestore())
  const file = 'roaming/authconn/profiles/prod.json'
  const env = (root: string) => ({ APPDATA: join(root, 'roaming'), LOCALAPPDATA: join(root, 'local') })
  expect(await readable(['beside.txt', file], env)).toEqual(['beside.txt'])
})

test('the usual data directory is withheld though AUTHCONN_DATA_DIR names another', async () => {
  const usual = (root: string) => ({ HOME: root, XDG_DATA_HOME: join(root, 'share') })
  const place = defaultDataDirectory(usual('/home'))
  const file = join(place.slice('/home/'.length), 'credentials.json')
  const env = (root: string) => ({ ...usual(root), AUTHCONN_DATA_DIR: join(root, 'data') })
  expect(await readable(['beside.txt', file], env)).toEqual(['beside.txt'])
})
