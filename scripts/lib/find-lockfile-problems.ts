/**
 * What in a pnpm-lock.yaml does not come from the registry with a SHA-512 of its content: a Git repository, a tarball
 * from elsewhere, a directory, a weaker hash. What is not understood counts as a problem as well.
 */
export function findLockfileProblems(text: string): string[] {
  const [, section] = /^packages:\n([\s\S]*?)(?=^\S)/m.exec(`${text}\nend:`) ?? []
  if (section === undefined) return ['there is no section "packages"']
  const entries = [...section.matchAll(/^ {2}(\S.*):\n((?: {4}.*\n|\n)*)/gm)]
  const covered = entries.reduce((sum, [entry]) => sum + entry.length, 0)
  if (covered < section.trimStart().length) return ['the section "packages" is not understood']
  if (entries.length === 0) return ['there are no packages']
  return entries.flatMap(([, name = '', body = '']) => {
    const [, resolution = ''] = /^ {4}resolution: \{(.*)\}$/m.exec(body) ?? []
    return /^integrity: sha512-[A-Za-z0-9+/]{86}==$/.test(resolution)
      ? []
      : [`${name.replaceAll("'", '')} is not from the registry with a SHA-512: ${resolution || 'no resolution'}`]
  })
}
