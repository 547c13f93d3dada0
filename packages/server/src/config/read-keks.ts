import { type KekSource, kekForms, parseKekSource } from '../core/crypto/kek-source.ts'
import { type Environment, invalid, secret } from './read-setting.ts'

/**
 * What AUTHCONN_KEK or AUTHCONN_KEK_FILE lists, apart by white space or commas: the current key, then those before it;
 * undefined when neither is set. Throws setting_invalid, which repeats no entry.
 */
export function readKeks(env: Environment): readonly KekSource[] | undefined {
  const given = secret(env, 'AUTHCONN_KEK', 'AUTHCONN_KEK_FILE')
  if (!given) return undefined
  const holds = given.from === 'AUTHCONN_KEK' ? 'must hold' : 'must name a file that holds'
  const entries = given.value
    .reveal()
    .split(/[\s,]+/)
    .filter(Boolean)
  if (entries.length === 0) throw invalid(given.from, `${holds} a key: ${kekForms.join(', ')}`)
  return Object.freeze(
    entries.map((entry, at) => {
      const source = parseKekSource(entry)
      if (!('problem' in source)) return source
      const which = entries.length === 1 ? 'its entry' : `entry ${at + 1} of ${entries.length}`
      throw invalid(
        given.from,
        `${holds} key-encryption keys: ${which} ${source.problem}. Make a key with: openssl rand -base64 32`,
      )
    }),
  )
}
