import { type Aim, atMost } from '../support/aims.ts'
import type { Installation } from './installation.ts'
import type { Measurements } from './subjects.ts'

/** The figures that are promised, each beside what was measured. */
export function judgeAims(found: { installation: Installation; onPostgres: Measurements }): Aim[] {
  const { installation, onPostgres } = found
  return [
    atMost('ready on PostgreSQL, no migrations to run', 'ms', 600, onPostgres.laterStartMs.median),
    atMost('idle memory on PostgreSQL', 'MB', 120, onPostgres.idleMb.median),
    atMost('packages installed, PGlite among them', '', 130, installation.packages),
    atMost('size installed, PGlite included', 'MB', 90, installation.megabytes),
  ]
}
