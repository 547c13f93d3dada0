import { marks } from '../pages.ts'
import type { Block } from './read-page.ts'

/** Why it is not run; undefined for what is. */
export function markOf({ page, text }: Block): (typeof marks)[number] | undefined {
  return marks.find((mark) => mark.page === page && text.includes(mark.has))
}
