/** One of them at random. There must be one. */
export function anyOf<T>(list: readonly T[]): T {
  const one = list[Math.floor(Math.random() * list.length)]
  if (one === undefined) throw new Error('there is none to choose')
  return one
}
