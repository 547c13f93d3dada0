/** One thing that was looked at. `failed`: something does not work; `warning`: something will not, or may not. */
export interface Check {
  name: string
  status: 'ok' | 'warning' | 'failed' | 'skipped'
  detail: string
  /** What to do about it. */
  hint?: string
}
