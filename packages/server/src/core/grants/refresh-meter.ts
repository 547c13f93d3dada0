import type { FailureClass } from '@authconn/shared'
import type { Connection } from '../ports.ts'

/** Counts refreshes, for whoever watches the vault. */
export interface RefreshMeter {
  /** An attempt that was written down, and how many milliseconds it took with that. */
  refreshed(connection: Connection, outcome: 'refreshed' | FailureClass, ms: number): void
  /** An attempt that nothing could be written of: the grant had changed, or the lease had gone to another replica. */
  leaseLost(connection: Connection): void
}
