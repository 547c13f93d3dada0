/** How long until a moment, such as `59 min`; `ended` when it has passed. */
export function timeLeft(moment: string, now: Date): string {
  const seconds = Math.floor((Date.parse(moment) - now.getTime()) / 1000)
  return seconds <= 0 ? 'ended' : duration(seconds)
}

/** When a moment comes, such as `in 59 min`; `now` when it is due. */
export function timeUntil(moment: string, now: Date): string {
  const seconds = Math.floor((Date.parse(moment) - now.getTime()) / 1000)
  return seconds <= 0 ? 'now' : `in ${duration(seconds)}`
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  const days = Math.floor(hours / 24)
  return hours % 24 === 0 ? `${days} days` : `${days} days ${hours % 24} h`
}
