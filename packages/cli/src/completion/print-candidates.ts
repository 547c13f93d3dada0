import { openKeychain } from '../profiles/keychain.ts'
import { candidatesFor } from './candidates.ts'
import { createNames } from './names.ts'

/**
 * Prints what may stand in place of the last word, a line each with its meaning after a tab, or `:files`. A shell calls
 * this at each press of a key: whatever goes wrong, it says nothing.
 */
export async function printCandidates(words: readonly string[]): Promise<void> {
  try {
    const { files, candidates } = await candidatesFor(words, createNames(process.env, words, openKeychain))
    const lines = candidates.map(({ word, meaning }) => (meaning === undefined ? word : `${word}\t${meaning}`))
    process.stdout.write([...(files ? [':files'] : []), ...lines].map((line) => `${line}\n`).join(''))
  } catch {
    // The command itself tells the person, when it is run.
    process.exitCode = 1
  }
}
