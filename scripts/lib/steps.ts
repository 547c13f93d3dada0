import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters, styleText } from 'node:util'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** One thing to do whose result is worth a line: resolves with what it printed, rejects with a StepError or StepSkipped. */
export interface Step {
  name: string
  run(): Promise<string>
}

/** A step that did not succeed; the message is what it printed. */
export class StepError extends Error {}

/** A step that could not be done here, which is no failure and must not look like success; the message is why. */
export class StepSkipped extends Error {}

/** A step that runs one of the installed programs, named by the file of its package that starts it. */
export function program(name: string, file: string, args: string[] = []): Step {
  return { name, run: () => runNode([`node_modules/${file}`, ...args]) }
}

/** Runs steps at once and prints a line for each, and the output of those that failed. True when all succeeded. */
export async function runSteps(steps: Step[]): Promise<boolean> {
  const results = await Promise.all(steps.map(report))
  return results.every(Boolean)
}

async function report(step: Step): Promise<boolean> {
  const started = performance.now()
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`
  try {
    await step.run()
    console.log(`${styleText('green', 'ok')}      ${step.name} (${seconds()})`)
    return true
  } catch (error) {
    if (error instanceof StepSkipped) {
      console.log(`${styleText('yellow', 'NOT DONE')} ${step.name}: ${error.message}`)
      return true
    }
    console.log(`${styleText('red', 'failed')}  ${step.name} (${seconds()})`)
    if (!(error instanceof StepError)) console.log(error)
    else console.log(process.stdout.isTTY ? error.message : stripVTControlCharacters(error.message))
    return false
  }
}

function runNode(args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (text: string) => {
      output += text
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve(output) : reject(new StepError(output))))
  })
}
