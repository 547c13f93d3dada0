/** The one of these that was most likely meant by a word that is none of them; undefined where none is near. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined
  for (const name of names) {
    const distance = distanceOf(word, name)
    if (distance <= allowed(word, name) && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) {
      best = { name, distance }
    }
  }
  return best?.name ?? onlyOneThatBegins(word, names)
}

/** A third of the letters, three at most: more and it is another word. */
function allowed(word: string, name: string): number {
  return Math.min(3, Math.floor(Math.max(word.length, name.length) / 3))
}

/** `google` for google-oauth, where no other name begins like that. */
function onlyOneThatBegins(word: string, names: readonly string[]): string | undefined {
  const beginning = word.length < 3 ? [] : names.filter((name) => name.startsWith(word))
  return beginning.length === 1 ? beginning[0] : undefined
}

/** How many letters to insert, remove, replace, or exchange with their neighbour (Damerau and Levenshtein). */
function distanceOf(a: string, b: string): number {
  let [before, above]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, at) => at)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        (above?.[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (above?.[j - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (before?.[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    before = above
    above = row
  }
  return above?.[b.length] ?? 0
}
