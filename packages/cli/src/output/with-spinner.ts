import type { Io } from '../run-cli.ts'

/** A spinner on stderr while the work goes on; only once it has taken long enough to be noticed. */
export async function withSpinner<T>(label: string, io: Pick<Io, 'stderr'>, work: Promise<T>): Promise<T> {
  let over = false
  let stop = () => {}
  const timer = setTimeout(async () => {
    const { default: ora } = await import('ora')
    if (over) return
    // Standard input is left alone: what is typed meanwhile is for the next question.
    const spinner = ora({ text: label, stream: io.stderr, discardStdin: false }).start()
    stop = () => spinner.stop()
  }, 300)
  try {
    return await work
  } finally {
    over = true
    clearTimeout(timer)
    stop()
  }
}
