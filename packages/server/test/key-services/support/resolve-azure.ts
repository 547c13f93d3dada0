import dns from 'node:dns'

/** Makes the names of vaults at Azure resolve to this machine, in the process that loads this. */
const { lookup } = dns
dns.lookup = Object.assign(
  (hostname: string, ...rest: unknown[]) =>
    Reflect.apply(lookup, dns, [hostname.endsWith('.vault.azure.net') ? '127.0.0.1' : hostname, ...rest]),
  { __promisify__: lookup.__promisify__ },
) as typeof dns.lookup
