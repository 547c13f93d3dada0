/**
 * The names of a project's connections: `authconn types` writes a file that adds them here, and a name that is not among
 * them is then an error of the type checker.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled from outside
export interface ConnectionNames {}

/** A name of ConnectionNames; any text where nothing has been added. */
export type ConnectionName = [keyof ConnectionNames] extends [never] ? string : keyof ConnectionNames & string
