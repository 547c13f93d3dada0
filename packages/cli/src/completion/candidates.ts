import type { Command } from '../command.ts'
import { type CommandEntry, commandTable, isGroup, type TableEntry } from '../command-table.ts'
import { type Flag, kebab } from '../flags.ts'
import type { Names } from './names.ts'
import { joinAtEquals } from './words.ts'

export interface Candidate {
  word: string
  meaning?: string
}

export interface Candidates {
  /** The name of a file belongs here: the shell knows them best. */
  files: boolean
  candidates: Candidate[]
}

const globalFlags: Readonly<Record<string, Flag<unknown>>> = {
  json: { help: 'print the result as JSON' },
  quiet: { help: 'print the result, warnings and errors, and nothing else' },
  profile: { value: 'NAME', help: 'the vault and key kept under that name' },
  vaultUrl: { value: 'URL', help: 'where the vault is' },
  help: { help: 'print help' },
}

/** What may stand in place of the last of these words, which the person is writing. */
export async function candidatesFor(given: readonly string[], names: Names): Promise<Candidates> {
  const words = joinAtEquals(given)
  const current = words.pop() ?? ''
  const place = await findPlace(words)
  const [, flagGiven, valueBegun] = /^(--[^=]+)=(.*)$/s.exec(current) ?? []
  if (flagGiven !== undefined) {
    const found = await valuesOf(flagGiven, place, names)
    // bash goes on after the equals sign; it is what all three shells of ours can take.
    return keep(found, valueBegun ?? '')
  }
  if (place.awaits !== undefined) return keep(await valuesOf(place.awaits, place, names), current)
  if (current.startsWith('-')) return keep(only(flagWords(place.command)), current)
  return keep(await operandsOf(place, names), current)
}

interface Place {
  /** Where the next word is chosen from: commands, or the members of a group. */
  entries: readonly TableEntry[] | undefined
  command: Command | undefined
  name: string
  operands: number
  /** The flag that the next word is the value of. */
  awaits: string | undefined
}

async function findPlace(words: readonly string[]): Promise<Place> {
  const place: Place = { entries: commandTable, command: undefined, name: '', operands: 0, awaits: undefined }
  for (const word of words) {
    if (place.awaits !== undefined) place.awaits = undefined
    else if (word.startsWith('-')) place.awaits = flagOf(word, place)?.value === undefined ? undefined : word
    else if (place.entries !== undefined) await enter(place, word)
    else place.operands++
  }
  return place
}

async function enter(place: Place, word: string): Promise<void> {
  if (place.entries === commandTable && word === 'workspace') {
    place.entries = [longForm]
    return
  }
  const entry = place.entries?.find(({ name }) => name === word)
  place.entries = entry !== undefined && isGroup(entry) ? entry.commands : undefined
  if (entry !== undefined && !isGroup(entry)) {
    place.command = await entry.load()
    place.name = entry.name
  }
}

const longForm: TableEntry = {
  name: 'authconnection',
  summary: 'connections',
  commands: commandTable.filter((entry): entry is CommandEntry => !isGroup(entry) && entry.ofConnections === true),
}

function flagOf(word: string, { command }: Place): Flag<unknown> | undefined {
  const flags = { ...globalFlags, ...command?.flags }
  return Object.entries(flags).find(([key]) => `--${kebab(key)}` === word)?.[1]
}

async function valuesOf(word: string, place: Place, names: Names): Promise<Candidates> {
  const flag = flagOf(word, place)
  if (word === '--profile') return only(asCandidates(await names.profiles()))
  if (word === '--trust' && place.name !== 'login') return only(asCandidates(await names.trusts()))
  if (flag?.value === 'FILE') return { files: true, candidates: [] }
  if (flag?.choices) return only(asCandidates(flag.choices))
  if (word === '--provider') return only(asCandidates(await names.providers()))
  const ofConnection = word === '--connection' || (word === '--name' && place.command?.operand?.label === 'name')
  if (ofConnection && place.name !== 'create') return only(asCandidates(await names.connections()))
  return only([])
}

function flagWords(command: Command | undefined): Candidate[] {
  return Object.entries({ ...command?.flags, ...globalFlags }).map(([key, { help, negated }]) => ({
    word: `--${negated ? 'no-' : ''}${kebab(key)}`,
    meaning: help,
  }))
}

async function operandsOf({ entries, command, name, operands }: Place, names: Names): Promise<Candidates> {
  if (entries !== undefined) return only(entries.map((entry) => ({ word: entry.name, meaning: entry.summary })))
  const operand = command?.operand
  if (operand === undefined || (operands > 0 && !operand.several)) return only([])
  if (operand.choices) return only(asCandidates(operand.choices))
  switch (operand.label) {
    case 'name':
      return only(name === 'create' ? [] : asCandidates(await names.connections()))
    case 'caller':
      return only(asCandidates(await names.callers()))
    case 'provider':
      return only(asCandidates(await names.providers()))
    case 'trust':
      return only(name === 'create' ? [] : asCandidates(await names.trusts()))
    case 'profile':
      return only(asCandidates(await names.profiles()))
    case 'command':
      return only(
        operands === 0 ? commandTable.map((entry) => ({ word: entry.name, meaning: entry.summary })) : [],
      )
    default:
      return only([])
  }
}

function asCandidates(words: readonly string[]): Candidate[] {
  return words.map((word) => ({ word }))
}

function only(candidates: Candidate[]): Candidates {
  return { files: false, candidates }
}

function keep({ files, candidates }: Candidates, begun: string): Candidates {
  return { files, candidates: candidates.filter(({ word }) => word.startsWith(begun)) }
}
