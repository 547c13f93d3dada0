/** Without what differs from run to run. */
export function normalized(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?Z)?/g, 'DATE')
    .replaceAll(/ack_[0-9A-Za-z]{49}/g, 'KEY')
    .replaceAll(/(127\.0\.0\.1|localhost):\d+/g, '$1:PORT')
    .replaceAll(/\b5\d min\b/g, '59 min')
    .replaceAll(/[ \t]+/g, ' ')
}

/** What output must be like that is shown as this: `…` stands for whatever is left out. */
export function patternOf(shown: string): RegExp {
  const pieces = normalized(shown.trimEnd()).split('…')
  return new RegExp(
    `^${pieces.map((piece) => piece.replaceAll(/[.\\+*?[^\]$(){}|]/g, '\\$&')).join('[\\s\\S]*?')}$`,
  )
}
