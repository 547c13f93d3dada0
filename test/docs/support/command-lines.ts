/** The command lines of a program within lines of a shell, in words. */
export function commandLinesOf(program: string, lines: string): string[][] {
  // What a substitution holds is a command line of its own.
  const inner = [...lines.matchAll(/[$<]\(([^()]*)\)/g)].flatMap(([, text = '']) => commandLinesOf(program, text))
  return [
    ...commands(lines.replaceAll(/[$<]\([^()]*\)/g, 'SUBSTITUTED')).flatMap((words) => find(program, words)),
    ...inner,
  ]
}

/** Behind variables that are set for it, behind programs that start another, and as a step of a job. */
function find(program: string, words: string[]): string[][] {
  const starters = /^(?:[A-Z_][A-Z0-9_]*=.*|npx|--yes|npm|run|-s|exec|time|eval|if|then|\(|!|-|run:)$/
  const at = words.findIndex((word) => !starters.test(word))
  // Of npx it can be of a version.
  if (words[at]?.replace(/@\d+\.\d+\.\d+$/, '') !== program) return []
  const args = words.slice(at + 1)
  return [words.includes('npm') && args[0] === '--' ? args.slice(1) : args]
}

/** Splits as a shell does at line ends, pipes and the like, with quotes and comments heeded and nothing expanded. */
function commands(lines: string): string[][] {
  const found: string[][] = [[]]
  const tokens =
    /\\\n|#[^\n]*|((?:"(?:\\.|[^"\\])*"|'[^']*'|\\[^\n]|[^\s"'\\|&;()<>])+)|(\d?[<>]+&?\s*\S+)|[\n|&;()]/g
  for (const [token, word, redirection] of lines.matchAll(tokens)) {
    if (token.startsWith('#') || token === '\\\n' || redirection !== undefined) continue
    if (word === undefined) found.push([])
    else
      found
        .at(-1)
        ?.push(word.replaceAll(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, (_, double, single) => double ?? single))
  }
  return found.filter((words) => words.length > 0)
}
