import { setFlagsFromString } from 'node:v8'

/**
 * Has the garbage collector take all that is made for what it most often is: of one request, and gone with it. V8 would
 * watch which lines make what lives long, and have these make it among the old. A moment in which many requests wait is
 * enough to have it think so of what every request makes; from then on each drags what it refers to along into memory
 * that is seldom collected, until the process ends. Decision 0047 has the figures.
 */
export function tuneCollector(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
