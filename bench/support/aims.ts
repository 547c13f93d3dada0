export interface Aim {
  what: string
  unit: string
  aim: number
  /** How what was measured must relate to the aim. */
  bound: 'at most' | 'at least' | 'exactly'
  measured: number
  pass: boolean
}

export function atMost(what: string, unit: string, aim: number, measured: number): Aim {
  return { what, unit, aim, bound: 'at most', measured, pass: measured <= aim }
}

export function atLeast(what: string, unit: string, aim: number, measured: number): Aim {
  return { what, unit, aim, bound: 'at least', measured, pass: measured >= aim }
}

export function exactly(what: string, unit: string, aim: number, measured: number): Aim {
  return { what, unit, aim, bound: 'exactly', measured, pass: measured === aim }
}

/** An aim as a line for a person. */
export function renderAim({ what, unit, aim, bound, measured, pass }: Aim): string {
  const figures = bound === 'exactly' && pass ? `${measured} ${unit}` : `${measured} of ${bound} ${aim} ${unit}`
  return `${pass ? 'pass' : 'MISS'}  ${what}: ${figures.trim()}`
}
