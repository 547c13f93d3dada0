import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { ProviderFailure } from '../../core/oauth-port.ts'
import { type AddressKind, judgeAddress } from './address-policy.ts'

export type Lookup = (
  hostname: string,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void

export interface CheckedLookup {
  /** Why a literal address is not connected to; undefined for one that is, and for names. */
  findRefusal(hostname: string): ProviderFailure | undefined
  /**
   * Resolves a name once, and hands the very addresses that were checked to the connection: a name that resolves
   * differently the next time (DNS rebinding) gains nothing. One refused address spoils them all.
   */
  forSocket: LookupFunction
  /** The checked addresses themselves, those of IPv4 first; a literal address is its own. */
  all(hostname: string): Promise<string[]>
}

export function createCheckedLookup(lookup: Lookup | undefined, allowed: readonly AddressKind[]): CheckedLookup {
  const resolve = lookup ?? lookupAll

  function resolveChecked(hostname: string, callback: Parameters<Lookup>[1]): void {
    resolve(hostname, (error, addresses) => {
      if (error) return callback(error, [])
      const isRefused = addresses.some(({ address }) => !allowed.includes(judgeAddress(address)))
      if (addresses.length === 0 || isRefused) return callback(refusal(hostname), [])
      callback(null, addresses)
    })
  }

  return {
    findRefusal(hostname) {
      const literal = hostname.replace(/^\[|\]$/g, '')
      return isIP(literal) && !allowed.includes(judgeAddress(literal)) ? refusal(hostname) : undefined
    },
    forSocket(hostname, options, callback) {
      resolveChecked(hostname, (error, addresses) => {
        const [first] = addresses
        if (error || !first) return callback(error ?? refusal(hostname), [])
        if (options.all) callback(null, addresses)
        else callback(null, first.address, first.family)
      })
    },
    all(hostname) {
      const literal = hostname.replace(/^\[|\]$/g, '')
      if (isIP(literal)) return Promise.resolve([literal])
      return new Promise((resolved, reject) => {
        resolveChecked(hostname, (error, addresses) => {
          if (error) return reject(error)
          resolved(addresses.sort((a, b) => a.family - b.family).map(({ address }) => address))
        })
      })
    },
  }
}

function lookupAll(hostname: string, callback: Parameters<Lookup>[1]): void {
  systemLookup(hostname, { all: true }, callback)
}

function refusal(hostname: string): ProviderFailure {
  return new ProviderFailure('address', `${hostname} is at an address that the vault does not call`)
}
