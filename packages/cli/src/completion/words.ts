/** The value of a flag among finished words, as `--flag value` or `--flag=value`. */
export function flagValue(words: readonly string[], flag: string): string | undefined {
  for (const [at, word] of words.entries()) {
    if (word === flag) return words[at + 1] || undefined
    if (word.startsWith(`${flag}=`)) return word.slice(flag.length + 1) || undefined
  }
  return undefined
}

/** bash takes `--flag=value` for three words: it is one. */
export function joinAtEquals(words: readonly string[]): string[] {
  const joined: string[] = []
  for (let at = 0; at < words.length; at++) {
    const last = joined.at(-1)
    if (words[at] === '=' && last?.startsWith('--')) joined[joined.length - 1] = `${last}=${words[++at] ?? ''}`
    else joined.push(words[at] ?? '')
  }
  return joined
}
