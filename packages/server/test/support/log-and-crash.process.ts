import { createLogOutput, standardOutput } from '../../src/log-output.ts'

// Logs more than a pipe takes and fails before anybody has read it.

const log = createLogOutput(standardOutput(), () => undefined)
process.on('uncaughtException', () => {
  log.write('the last words\n')
  process.exit(1)
})
for (let number = 0; number < 1500; number++) log.write(`${number} ${'x'.repeat(1000)}\n`)
setTimeout(() => {
  log.write('before it\n')
  process.stderr.write('crashing')
  throw new Error('a crash')
}, 50)
