import { footprint } from './footprint.ts'

export interface Bench {
  summary: string
  /** Resolves with what `--json` prints, the same in words, and whether every aim was met. */
  run(): Promise<{ data: unknown; text: string; pass: boolean }>
}

const benches: Record<string, Bench> = { footprint }

const args = process.argv.slice(2)
const json = args.includes('--json')
const [name, ...rest] = args.filter((arg) => arg !== '--json')
const bench = name !== undefined && rest.length === 0 && Object.hasOwn(benches, name) ? benches[name] : undefined

// Whoever started something ends it when this process exits.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

if (bench) {
  const { data, text, pass } = await bench.run()
  console.log(json ? JSON.stringify(data, null, 2) : text)
  if (!pass) process.exitCode = 1
} else {
  const list = Object.entries(benches).map(([each, { summary }]) => `  ${each}  ${summary}`)
  const write = name === undefined ? console.log : console.error
  write(['usage: npm run bench -- NAME [--json]', '', ...list].join('\n'))
  if (name !== undefined) process.exitCode = 2
}
