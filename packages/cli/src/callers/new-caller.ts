import { AuthconnError } from '@authconn/sdk'
import type { NewCaller } from '@authconn/shared'
import { type FlagValues, list, moment, negated, several, text, toggle } from '../flags.ts'
import { givenName } from '../input/connection-name.ts'
import { defined } from '../input/defined.ts'
import { givenSubjects, toPermission } from './given-limits.ts'

const nobodyElse = 'your own limit unless given'

export const callerFlags = {
  name: text('NAME', 'the name of the caller, instead of the argument'),
  allow: list('PERMISSIONS', 'what it may do, as below'),
  connection: list('PATTERNS', `the connections it is for, * standing for any characters; ${nobodyElse}`),
  subject: several(
    'SUBJECT',
    `a user of the application it may act for, * standing for any characters; ${nobodyElse}`,
  ),
  subjects: negated("it may act for no users: for the application's own grants only"),
  allSubjects: toggle('it may act for all users'),
  address: list('RANGES', `the addresses and CIDR ranges it may call from; ${nobodyElse}`),
  expires: moment(`when it ends (${nobodyElse})`, 'ahead'),
}

/** What to ask the vault for, as the flags say. Throws usage. */
export function newCaller(flags: FlagValues<typeof callerFlags>, operands: readonly string[]): NewCaller {
  const name = givenName(flags, operands)
  const missing = [...(name === undefined ? ['--name'] : []), ...(flags.allow === undefined ? ['--allow'] : [])]
  if (name === undefined || flags.allow === undefined) {
    throw new AuthconnError('usage', `Missing: ${missing.join(', ')}.`)
  }
  return {
    name,
    permissions: flags.allow.map(toPermission),
    ...defined({
      connections: flags.connection,
      subjects: givenSubjects(flags),
      addresses: flags.address,
      expires_at: flags.expires,
    }),
  }
}
