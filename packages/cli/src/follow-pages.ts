import { AuthconnError } from '@authconn/sdk'

/** The items of all pages. Throws vault_answer_invalid where the pages lead back to one that was read. */
export async function followPages<T>(
  fetchPage: (after: { after?: string }) => Promise<{ items: T[]; next: string | null }>,
): Promise<T[]> {
  const all: T[] = []
  const seen = new Set<string>()
  for (let after: { after?: string } = {}; ; ) {
    const { items, next } = await fetchPage(after)
    all.push(...items)
    if (next === null) return all
    // A vault that turns in circles would keep us here for ever.
    if (seen.has(next)) throw new AuthconnError('vault_answer_invalid', 'The pages of the list never end.')
    seen.add(next)
    after = { after: next }
  }
}
