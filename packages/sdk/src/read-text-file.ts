/** Asked of the platform instead of imported, since the programs of edge runtimes may import no built-ins. */
export async function readTextFile(file: string): Promise<string> {
  const { process }: { process?: Partial<Pick<NodeJS.Process, 'getBuiltinModule'>> } = globalThis
  const fs = process?.getBuiltinModule?.('node:fs/promises')
  if (fs === undefined) throw new Error('this platform has no files')
  return fs.readFile(file, 'utf8')
}
