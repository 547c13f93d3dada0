/** JSON for people and programs. */
export function toJson(data: unknown): string {
  return harmless(JSON.stringify(data, null, 2))
}

export function toJsonLine(data: unknown): string {
  return harmless(JSON.stringify(data))
}

/** JSON leaves DEL, the C1 controls and the marks of writing direction as they are, and a terminal obeys some of them. */
function harmless(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
