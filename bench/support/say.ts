/** Tells whoever watches a bench what it does now. */
export function say(what: string): void {
  console.error(`${what} …`)
}
