import type { Revocation } from '@authconn/shared'
import { plainLine } from './plain.ts'
import type { View } from './view.ts'

/** What was revoked, and what became of it at the provider. */
export function describeRevocation(
  { connection, subject, upstream, detail }: Revocation,
  { paint }: View,
): string {
  const what = plainLine(subject === null ? connection : `${connection} for ${subject}`)
  const why = detail === null ? '' : ` ${plainLine(detail)}`
  const atProvider: Readonly<Record<Revocation['upstream'], string>> = {
    revoked: 'It is revoked at the provider too.',
    retrying: paint.yellow(`It is not yet revoked at the provider, and the vault goes on trying.${why}`),
    unsupported: paint.yellow(
      'The provider takes no revocations: a token that was handed out stays valid there until it ends.',
    ),
    failed: paint.red(`It is not revoked at the provider.${why}`),
    nothing_to_revoke: 'There was nothing to revoke at the provider.',
  }
  return `Revoked ${what}. ${atProvider[upstream]}`
}
