import { AuthconnError } from '../errors.ts'
import { formatAddressRange, parseAddressRange } from './address-range.ts'

/** Addresses and CIDR ranges as they are kept. Throws invalid_request, which names the one that is neither. */
export function readAddresses(given: readonly string[] | null): string[] | null {
  return given && [...new Set(given.map(readAddress))]
}

function readAddress(text: string): string {
  const range = parseAddressRange(text)
  if (range) return formatAddressRange(range)
  throw new AuthconnError(
    'invalid_request',
    `addresses: ${text} is neither an IP address nor a range that begins where it says, such as 10.0.0.0/8`,
  )
}
