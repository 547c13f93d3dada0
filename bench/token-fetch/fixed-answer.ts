import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type RunningProgram, startProgram } from '../support/program.ts'

const program = fileURLToPath(new URL('../baselines/fixed-answer.mjs', import.meta.url))

/** Headers that Fastify and Node make by themselves. */
const ownHeaders = new Set(['content-type', 'content-length', 'date', 'connection', 'keep-alive'])

/** A bare route that answers as the vault just did. */
export async function startFixedAnswer(
  answerFile: string,
  vaultUrl: string,
  key: string,
): Promise<RunningProgram> {
  const response = await fetch(`${vaultUrl}/v1/connections/connection-1/token`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const body: unknown = await response.json()
  if (response.status !== 200)
    throw new Error(`the vault answered with ${response.status}: ${JSON.stringify(body)}`)
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !ownHeaders.has(name)))
  await writeFile(answerFile, JSON.stringify({ headers, body }), { mode: 0o600 })
  return startProgram(
    [program],
    (port) => ({ NODE_ENV: 'production', PORT: String(port), ANSWER_FILE: answerFile }),
    { exitWithParent: true },
  )
}
