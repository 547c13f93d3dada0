import { styleText } from 'node:util'

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

export type Paint = Readonly<Record<Style, (words: string) => string>>

/** Colors for a stream: by FORCE_COLOR and NO_COLOR (https://no-color.org), otherwise where it is a terminal. */
export function paintFor(stream: { isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): Paint {
  const colorful = wantsColor(stream, env)
  const style = (name: Style) => (words: string) =>
    colorful ? styleText(name, words, { validateStream: false }) : words
  return {
    bold: style('bold'),
    dim: style('dim'),
    red: style('red'),
    green: style('green'),
    yellow: style('yellow'),
  }
}

function wantsColor(stream: { isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no } = env
  if (force !== undefined) return force !== '0' && force !== 'false'
  if (no) return false
  return stream.isTTY === true && env.TERM !== 'dumb'
}
