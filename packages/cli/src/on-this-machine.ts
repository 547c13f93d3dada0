/** Whether a URL's host is this machine: `new URL` has already brought every spelling of an IP address into one form. */
export function isOnThisMachine({ hostname }: Pick<URL, 'hostname'>): boolean {
  return /^(?:localhost|\[::1\]|127(?:\.\d+){3})$/.test(hostname)
}
