import type { Caller, CreatedCaller, Self } from '@authconn/shared'
import { plainLine } from './plain.ts'
import { type DetailLine, details } from './table.ts'
import { timeLeft } from './time.ts'
import type { View } from './view.ts'

/** Everything the vault tells of a caller, and its API key, which is the result that matters. */
export function describeKey(caller: CreatedCaller, view: View): string {
  return `${describeCaller(caller, view)}\n\nAPI key: ${view.paint.bold(plainLine(caller.api_key))}`
}

/** For whoever reads the screen, which is what the key is on. */
export const shownOnce =
  'The API key is shown this once, and the vault keeps only its hash: put it where secrets belong now.'

export function subjectsOf({ subjects }: Pick<Caller, 'subjects'>): string {
  if (subjects === null) return 'all'
  return subjects.length === 0 ? 'none' : subjects.join(', ')
}

export function addressesOf({ addresses }: Pick<Caller, 'addresses'>): string {
  return addresses === null ? 'any' : addresses.join(', ')
}

export function describeSelf(
  self: Self & { vault: { url: string; from: string; key_from: string } },
  view: View,
): string {
  const { url, from, key_from } = self.vault
  const found: DetailLine[] = [
    ['vault', url],
    ['found by', from],
    ['key from', key_from],
    ['workspace', self.workspace],
  ]
  return `${view.paint.bold(plainLine(self.name))}\n${details([...found, ...linesOf(self, view)], view)}`
}

function describeCaller(caller: Caller, view: View): string {
  return details(linesOf(caller, view), view)
}

function linesOf(caller: Caller, view: View): DetailLine[] {
  const { expires_at: end, former_key_until: formerEnd } = caller
  return [
    ['id', caller.id],
    ['trust', caller.trust],
    ['identity', caller.identity],
    ['may', caller.permissions.join(', ')],
    ['connections', caller.connections.join(', ')],
    ['subjects', subjectsOf(caller)],
    ['addresses', addressesOf(caller)],
    ['expires', end === null ? 'never' : `${end} (${timeLeft(end, view.now)})`],
    ['last used', caller.last_used_at],
    ['former key', formerEnd && `works until ${formerEnd} (${timeLeft(formerEnd, view.now)})`],
    ['revoked', caller.revoked_at],
  ]
}
