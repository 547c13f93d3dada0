import { cli } from './cli.ts'
import { footprint } from './footprint.ts'
import { refreshStorm } from './refresh-storm.ts'
import { rotateKeys } from './rotate-keys.ts'
import { scale } from './scale.ts'
import { tokenFetch } from './token-fetch.ts'

export interface Bench {
  summary: string
  /** Parts that may be measured by themselves, and flags with what they do, besides `--json`. */
  parts?: readonly string[]
  flags?: Record<string, string>
  /**
   * Measures the parts and obeys the flags that are given, or all of it without any. Resolves with what `--json` prints,
   * the same in words, and whether every aim was met.
   */
  run(given: ReadonlySet<string>): Promise<{ data: unknown; text: string; pass: boolean }>
}

const benches: Record<string, Bench> = {
  cli,
  footprint,
  'refresh-storm': refreshStorm,
  'rotate-keys': rotateKeys,
  'token-fetch': tokenFetch,
  scale,
}

const args = process.argv.slice(2)
const json = args.includes('--json')
const [name, ...given] = args.filter((arg) => arg !== '--json')
const named = name !== undefined && Object.hasOwn(benches, name) ? benches[name] : undefined
const known = new Set([...(named?.parts ?? []), ...Object.keys(named?.flags ?? {})])
const bench = given.every((each) => known.has(each)) ? named : undefined

// Whoever started something ends it when this process exits.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

if (bench) {
  const { data, text, pass } = await bench.run(new Set(given))
  console.log(json ? JSON.stringify(data, null, 2) : text)
  if (!pass) process.exitCode = 1
} else {
  const list = Object.entries(benches).flatMap(([each, { summary, parts, flags = {} }]) => [
    `  ${each}  ${summary}`,
    ...(parts ? [`      or parts of it: ${parts.join(' ')}`] : []),
    ...Object.entries(flags).map(([flag, meaning]) => `      ${flag}  ${meaning}`),
  ])
  const write = name === undefined ? console.log : console.error
  write(['usage: npm run bench -- NAME [PART…] [FLAG…] [--json]', '', ...list].join('\n'))
  if (name !== undefined) process.exitCode = 2
}
