/** Whether a URL's host is this machine: `new URL` has already brought every spelling of an IP address into one form. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
