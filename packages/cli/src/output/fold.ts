/** What is narrower than this is not folded for. */
const least = 8

/** Text in lines that fit. Folded at spaces alone: an address that is longer than the line must stay one that can be copied. */
export function fold(text: string, width: number | undefined): string[] {
  if (width === undefined || text.length <= width || width < least) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && longer.length > width) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}
