export type Env = Readonly<Record<string, string | undefined>>

/** Empty on a platform that hands settings over in another way, as some edge runtimes do. */
export function environment(): Env {
  const { process }: { process?: Partial<Pick<NodeJS.Process, 'env'>> } = globalThis
  return process?.env ?? {}
}
