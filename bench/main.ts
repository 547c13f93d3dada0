import { footprint } from './footprint.ts'
import { refreshStorm } from './refresh-storm.ts'

export interface Bench {
  summary: string
  /** What may be measured by itself. */
  parts?: readonly string[]
  /**
   * Measures these parts, or all of it without any. Resolves with what `--json` prints, the same in words, and whether
   * every aim was met.
   */
  run(parts: readonly string[]): Promise<{ data: unknown; text: string; pass: boolean }>
}

const benches: Record<string, Bench> = { footprint, 'refresh-storm': refreshStorm }

const args = process.argv.slice(2)
const json = args.includes('--json')
const [name, ...parts] = args.filter((arg) => arg !== '--json')
const named = name !== undefined && Object.hasOwn(benches, name) ? benches[name] : undefined
const bench = parts.every((part) => named?.parts?.includes(part)) ? named : undefined

// Whoever started something ends it when this process exits.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

if (bench) {
  const { data, text, pass } = await bench.run(parts)
  console.log(json ? JSON.stringify(data, null, 2) : text)
  if (!pass) process.exitCode = 1
} else {
  const list = Object.entries(benches).flatMap(([each, { summary, parts: some }]) => [
    `  ${each}  ${summary}`,
    ...(some ? [`      or parts of it: ${some.join(' ')}`] : []),
  ])
  const write = name === undefined ? console.log : console.error
  write(['usage: npm run bench -- NAME [PART…] [--json]', '', ...list].join('\n'))
  if (name !== undefined) process.exitCode = 2
}
