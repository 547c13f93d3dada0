import { KeyServiceFailure } from './key-service.ts'

/** A text somewhere inside an answer, or undefined. */
export function findText(answer: unknown, ...path: string[]): string | undefined {
  let at = answer
  for (const name of path) {
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined
  }
  return typeof at === 'string' ? at : undefined
}

/** Throws KeyServiceFailure where there is none: something else may have answered in the service's place. */
export function getText(answer: unknown, ...path: string[]): string {
  const text = findText(answer, ...path)
  if (text === undefined) throw new KeyServiceFailure('passing', `It answered without ${path.join('.')}`)
  return text
}
