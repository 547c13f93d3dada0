import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export interface LoadPlan {
  /** Programs on loopback; each gets a thread of wrk and its share of the connections. */
  urls: string[]
  connections: number
  seconds: number
  /** API keys, in turn. */
  keys: string[]
  /** What is asked for, each grant as often as any other: as fillVault names them. */
  grants: { connections: number; subjects: number; crowd?: number }
  /** Looks into every answer, which the measured runs leave out. */
  check?: boolean
}

export interface Load {
  requests: number
  perSecond: number
  /** Milliseconds. wrk adds what those would have waited that it did not send while an answer was late. */
  p50: number
  p99: number
  max: number
  /** Answers that were errors; with `check` those without a token. */
  refused: number
  /** Requests without an answer. */
  broken: number
  bytesPerAnswer: number
  /** Processor time that sending and reading took, in cores. */
  cores: number
}

/*
 * wrk and not autocannon: on the two cores that it shares with what it measures it took 10 µs of processor for a request
 * at 64 connections, autocannon 9 took 19 µs; and it tells microseconds where autocannon tells milliseconds.
 */
const missing = 'this needs wrk: apt-get install wrk (Debian, Ubuntu), brew install wrk (macOS)'

const script = fileURLToPath(new URL('wrk.lua', import.meta.url))
const ticksPerSecond = 100

/** Loads programs for some seconds. `planFile` is written, and holds the keys. Throws what wrk says when it cannot run. */
export async function runWrk(plan: LoadPlan, planFile: string): Promise<Load> {
  await writeFile(planFile, luaPlan(plan), { mode: 0o600 })
  const threads = plan.urls.length
  const connections = plan.connections - (plan.connections % threads)
  const args = ['-t', threads, '-c', connections, '-d', `${plan.seconds}s`, '--timeout', '10s', '-s', script]
  const output = await run([...args.map(String), plan.urls[0] ?? ''], { WRK_PLAN: planFile })
  return readReport(output)
}

/** Of what wrk printed, the line of our script. */
export function readReport(output: string): Load {
  const line = output.split('\n').findLast((each) => each.startsWith('{'))
  if (line === undefined) throw new Error(`wrk ended without a report: ${output}`)
  const report: Record<string, number> = JSON.parse(line)
  const of = (name: string) => report[name] ?? Number.NaN
  const seconds = of('us') / 1e6
  return {
    requests: of('requests'),
    perSecond: Math.round(of('requests') / seconds),
    p50: of('p50') / 1000,
    p99: of('p99') / 1000,
    max: of('max') / 1000,
    refused: Math.max(of('status'), of('unexpected')),
    broken: of('broken'),
    bytesPerAnswer: Math.round(of('bytes') / of('requests')),
    cores: of('ticks') / ticksPerSecond / seconds,
  }
}

function luaPlan({ urls, keys, grants, check = false }: LoadPlan): string {
  const list = (values: (string | number)[]) => `{ ${values.map((value) => JSON.stringify(value)).join(', ')} }`
  return `return {
  ports = ${list(urls.map((url) => Number(new URL(url).port)))},
  keys = ${list(keys)},
  connections = ${grants.connections},
  subjects = ${grants.subjects},
  crowd = ${grants.crowd ?? grants.subjects},
  seed = ${Math.floor(Math.random() * 1e9)},
  check = ${check},
}
`
}

function run(args: string[], env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('wrk', args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
    const killed = () => child.kill('SIGKILL')
    process.once('exit', killed)
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.once('error', (error) => {
      reject('code' in error && error.code === 'ENOENT' ? new Error(missing, { cause: error }) : error)
    })
    child.once('close', (code) => {
      process.off('exit', killed)
      if (code === 0) resolve(output)
      else reject(new Error(`wrk ended with ${code}: ${output}`))
    })
  })
}
