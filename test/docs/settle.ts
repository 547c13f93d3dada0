import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { files, type Setting } from './pages.ts'
import { shell } from './support/run-block.ts'
import type { DocsWorld } from './support/start-docs-world.ts'

/** A directory of that name, with what is taken for granted there and in the vault. */
export async function settle(world: DocsWorld, name: string, setting: Setting): Promise<string> {
  const cwd = join(world.directory, 'places', name.replaceAll(/\W/g, '-'))
  for (const directory of ['etc/authconn', 'run/secrets', 'src'])
    await mkdir(join(cwd, directory), { recursive: true })
  await symlink(join(world.directory, 'node_modules'), join(cwd, 'node_modules'))
  for (const [file, text] of Object.entries({ ...files, ...setting.files })) {
    await writeFile(join(cwd, file), text, { mode: text.startsWith('#!') ? 0o700 : 0o600 })
  }
  if (setting.env?.DATABASE_URL === 'EMPTY') await world.emptyDatabase.make()
  await world.startAfresh(setting.given ?? {})
  if (setting.before !== undefined) await shell(setting.before, { cwd, world, setting })
  return cwd
}
