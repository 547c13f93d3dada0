/** Milliseconds for what is asked of the vault at the end: whoever pressed Ctrl-C does not wait for one that is silent. */
export const patience = 3000
