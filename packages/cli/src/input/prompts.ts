import type { Context } from '../context.ts'

/**
 * Questions to the person at the terminal, on stderr so that stdout holds results only. They end in an
 * ExitPromptError or AbortPromptError, told as `interrupted`. The library is loaded at the first question.
 */

/** What a rule refuses stays in the line, to be corrected. */
export async function askText(
  ctx: Context,
  message: string,
  rule: (answer: string) => true | string,
): Promise<string> {
  const { input } = await import('@inquirer/prompts')
  const validate = (answer: string) => notEmpty(answer.trim()) ?? rule(answer.trim())
  return (await input({ message, validate }, streams(ctx))).trim()
}

/** What is typed is shown as asterisks, and cannot be made visible. */
export async function askSecret(
  ctx: Context,
  message: string,
  rule: (answer: string) => true | string,
): Promise<string> {
  const { password } = await import('@inquirer/prompts')
  const validate = (answer: string) => notEmpty(answer) ?? rule(answer)
  return password({ message, mask: '*', toggleMask: false, validate }, streams(ctx))
}

export async function askWhether(ctx: Context, message: string): Promise<boolean> {
  const { confirm } = await import('@inquirer/prompts')
  return confirm({ message, default: false }, streams(ctx))
}

export async function askWhich(ctx: Context, message: string, choices: readonly string[]): Promise<string> {
  const { select } = await import('@inquirer/prompts')
  return select({ message, choices: [...choices] }, streams(ctx))
}

function notEmpty(answer: string): string | undefined {
  return answer === '' ? 'Please give a value.' : undefined
}

function streams({ stdin, stderr, signal }: Context) {
  return { input: stdin, output: stderr, signal }
}
