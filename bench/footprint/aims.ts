import type { Installation } from './installation.ts'
import type { Measurements } from './subjects.ts'

export interface Aim {
  what: string
  unit: string
  aim: number
  measured: number
  pass: boolean
}

/** The figures that are promised, each beside what was measured. */
export function judgeAims(found: { installation: Installation; onPostgres: Measurements }): Aim[] {
  const { installation, onPostgres } = found
  return [
    judge('ready on PostgreSQL, no migrations to run', 'ms', 600, onPostgres.laterStartMs.median),
    judge('idle memory on PostgreSQL', 'MB', 120, onPostgres.idleMb.median),
    judge('packages installed, PGlite among them', '', 130, installation.packages),
    judge('size installed, PGlite included', 'MB', 90, installation.megabytes),
  ]
}

function judge(what: string, unit: string, aim: number, measured: number): Aim {
  return { what, unit, aim, measured, pass: measured <= aim }
}
