import { spawn } from 'node:child_process'

export const pnpmVersion = '12.18.0'

/**
 * Runs pnpm, fetched by npx when the machine does not have this version yet, and gives back its exit code.
 *
 * @param {string} directory
 * @param {string[]} args
 * @param {(text: string) => void} onOutput
 * @returns {Promise<number>}
 */
export function pnpm(directory, args, onOutput) {
  return new Promise((resolve, reject) => {
    const windows = process.platform === 'win32'
    const child = spawn(windows ? 'npx.cmd' : 'npx', ['--yes', `pnpm@${pnpmVersion}`, ...args], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: windows,
    })
    child.stdout.setEncoding('utf8').on('data', onOutput)
    child.stderr.setEncoding('utf8').on('data', onOutput)
    child.once('error', (cause) =>
      reject(new Error('npx could not be started; it comes with Node and npm.', { cause })),
    )
    child.once('close', (code) => resolve(code ?? 1))
  })
}
