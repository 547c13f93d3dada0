/**
 * Text from elsewhere without what could steer a terminal: control characters, which begin its escape sequences,
 * and the marks that turn the direction of writing. Line breaks stay.
 */
export function plain(text: string): string {
  return text.replace(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    '\ufffd',
  )
}

/** The same on one line. */
export function plainLine(text: string): string {
  return plain(text.replaceAll('\n', ' '))
}
