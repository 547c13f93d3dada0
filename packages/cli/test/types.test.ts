import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fakeVault } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { connection } from './support/samples.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** A directory in the workspace, where @authconn/sdk is found. */
async function project(): Promise<string> {
  const directory = await mkdtemp(join(root, 'packages/cli/node_modules/.types-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

async function vaultWith(...names: string[]) {
  const connections = names.map((name) => connection({ name }))
  return fakeVault({ listConnections: () => ({ connections, next: null }) })
}

describe('types', () => {
  test('writes the names, sorted, and again only when they change', async () => {
    const file = join(await project(), 'authconn.d.ts')
    const { url } = await vaultWith('quickbooks', 'google-oauth')
    expect(await run(['types', '--out', file], { url })).toMatchObject({
      exitCode: 0,
      stdout: `${file} has been written: 2 connections.\n`,
    })
    const written = await readFile(file, 'utf8')
    expect(written).toContain("interface ConnectionNames {\n    'google-oauth': true\n    'quickbooks': true\n  }")
    const { mtimeMs } = await stat(file)
    expect((await run(['types', '--out', file], { url })).stdout).toContain('is up to date: 2 connections.')
    expect((await stat(file)).mtimeMs).toBe(mtimeMs)
    const other = await vaultWith('google-oauth')
    expect((await run(['types', '--out', file], { url: other.url })).stdout).toContain('1 connection.')
    expect(await readFile(file, 'utf8')).not.toContain('quickbooks')
  })

  test('--check writes nothing, and fails where that would change something', async () => {
    const file = join(await project(), 'authconn.d.ts')
    const { url } = await vaultWith('google-oauth')
    expect(await run(['types', '--out', file, '--check', '--json'], { url })).toMatchObject({ exitCode: 5 })
    await expect(stat(file)).rejects.toThrow('ENOENT')
    await run(['types', '--out', file], { url })
    expect((await run(['types', '--out', file, '--check'], { url })).exitCode).toBe(0)
    expect((await run(['types', '--out', file, '--check', '--globals'], { url })).exitCode).toBe(5)
    await writeFile(file, 'edited')
    expect(await run(['types', '--out', file, '--check'], { url })).toMatchObject({
      exitCode: 5,
      stdout: `${file} is out of date.\n`,
    })
    expect(await readFile(file, 'utf8')).toBe('edited')
  })

  test('a file that cannot be written is an error', async () => {
    const { url } = await vaultWith('a')
    const file = join(await project(), 'missing', 'authconn.d.ts')
    const { exitCode, stderr } = await run(['types', '--out', file], { url })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('cannot be written')
  })
})

test('the type checker then knows the names, and what functions are given', async () => {
  const directory = await project()
  const { url } = await vaultWith('google-oauth', 'quickbooks')
  await run(['types', '--globals', '--out', join(directory, 'authconn.d.ts')], { url })
  const code = [
    "import { authconnection, createClient } from '@authconn/sdk'",
    "const client = createClient({ url: 'https://vault.example.com', apiKey: 'ak' })",
    "export const right = [authconnection.getConnectionToken('google-oauth'), client.authenticatedFetch('quickbooks')]",
    "export const global = [tailor.authconnection.getConnectionToken('quickbooks'), authconn.getConnectionToken('google-oauth')]",
    "authconnection.getConnectionToken('google-outh')",
    "client.getConnectionToken('nope')",
    "client.authenticatedFetch('nope')",
    "tailor.authconnection.getConnectionToken('nope')",
    "authconn.getConnectionToken('nope')",
  ]
  await writeFile(join(directory, 'code.ts'), code.join('\n'))
  const compilerOptions = {
    ...{ strict: true, noEmit: true, module: 'nodenext', target: 'es2024', types: ['node'], skipLibCheck: true },
    ...{ typeRoots: [join(root, 'node_modules/@types')], allowImportingTsExtensions: true },
  }
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const checked: { stdout: string } = await promisify(execFile)(process.execPath, [tsc, '-p', directory]).catch(
    (failure: { stdout: string }) => failure,
  )
  const wrong = [...checked.stdout.matchAll(/code\.ts\((\d+),\d+\): error TS2345/g)].map((match) =>
    Number(match[1]),
  )
  expect(wrong, checked.stdout).toEqual([5, 6, 7, 8, 9])
  expect(checked.stdout.match(/error TS/g)).toHaveLength(5)
}, 60_000)
