import type { Paint } from './paint.ts'

/** What the wording of a result may depend on besides the result. */
export interface View {
  now: Date
  paint: Paint
}
