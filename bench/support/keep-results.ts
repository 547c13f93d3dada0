import { mkdir, writeFile } from 'node:fs/promises'

export const keepFlag = 'keeps the figures for docs/performance.md, which `npm run docs` puts there'

export function resultsFile(name: string): URL {
  return new URL(`../results/${name}.json`, import.meta.url)
}

/** Keeps the figures of a bench, without its single measurements, for docs/performance.md: `npm run docs` takes them. */
export async function keepResults(name: string, { samples, ...figures }: { samples: unknown }): Promise<void> {
  const file = resultsFile(name)
  await mkdir(new URL('.', file), { recursive: true })
  await writeFile(file, `${JSON.stringify(figures, null, 2)}\n`)
}
