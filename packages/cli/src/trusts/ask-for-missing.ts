import { AuthconnError } from '@authconn/sdk'
import type { Context } from '../context.ts'
import { type FlagValues, kebab } from '../flags.ts'
import { askText, askWhich } from '../input/prompts.ts'
import { isId } from './bound-claims.ts'
import { type PresetWord, presetMeanings, presetWords, type trustFlags } from './trust-flags.ts'

type Given = FlagValues<typeof trustFlags>
type Question = keyof typeof questions

const url = (answer: string) =>
  URL.canParse(answer) || 'Please give a whole URL, as the iss claim of a token has it.'
const number = (answer: string) => isId(answer) || 'An id is a number.'
const anything = () => true as const

const questions = {
  issuer: { ask: 'Issuer (the iss claim of its tokens)', rule: url },
  repositoryId: { ask: 'Id of the repository (gh api repos/OWNER/NAME --jq .id)', rule: number },
  projectId: { ask: 'Id of the project (on its page, or of its settings)', rule: number },
  namespace: { ask: 'Namespace of the pods', rule: anything },
  serviceAccount: { ask: 'Service account of the pods', rule: anything },
  clientId: { ask: 'Client id of the public OAuth client to log in with', rule: anything },
  emailDomain: { ask: 'Domain of the e-mail addresses of those who may log in', rule: anything },
} as const

/** What each preset cannot do without; of several in one place any will do, and the first is asked for. */
const needed: Readonly<Record<PresetWord, readonly (readonly [Question, ...(keyof Given)[]])[]>> = {
  github: [['repositoryId', 'repositoryOwnerId', 'claim']],
  gitlab: [['projectId', 'namespaceId', 'claim']],
  kubernetes: [['issuer'], ['namespace', 'claim'], ['serviceAccount', 'serviceAccountUid', 'claim']],
  people: [['issuer'], ['clientId'], ['emailDomain', 'hd', 'group', 'claim']],
  generic: [['issuer']],
}

/** Asks for what is missing in a terminal. Throws usage elsewhere, with all of it. */
export async function askForMissing(
  ctx: Context,
  given: Given,
): Promise<{ name: string; preset: PresetWord; flags: Given }> {
  const usual = given.name ?? usualName(given)
  const missing = [
    ...(usual === undefined ? ['--name'] : []),
    ...(given.preset === undefined ? ['--preset'] : missingOf(given.preset, given).map(inWords)),
  ]
  if (missing.length > 0 && !ctx.interactive) throw new AuthconnError('usage', `Missing: ${missing.join(', ')}.`)
  const name = usual ?? (await askText(ctx, 'Name of the trust', trustName))
  const preset = given.preset ?? (await askPreset(ctx))
  const answers: Partial<Record<Question, string>> = {}
  for (const [question] of missingOf(preset, given)) {
    const { ask, rule } = questions[question]
    answers[question] = await askText(ctx, ask, rule)
  }
  const { issuer = given.issuer, clientId = given.clientId, ...lists } = answers
  const asLists = Object.fromEntries(Object.entries(lists).map(([question, answer]) => [question, [answer]]))
  return { name, preset, flags: { ...given, ...asLists, issuer, clientId } }
}

/** After what is bound, where that is one thing: no two such trusts have to be told apart by other names. */
function usualName(given: Given): string | undefined {
  const { preset, repositoryId, projectId, namespace, serviceAccount, environment = [] } = given
  const parts =
    preset === 'kubernetes' ? [namespace, serviceAccount] : [preset === 'gitlab' ? projectId : repositoryId]
  const bound = parts.map((values) => (values?.length === 1 ? values[0] : undefined))
  if (preset === undefined || bound.includes(undefined)) return undefined
  const name = [preset, ...bound, ...environment].join('-')
  return trustName(name) === true ? name : undefined
}

function missingOf(preset: PresetWord, given: Given) {
  return needed[preset].filter((alternatives) => alternatives.every((flag) => given[flag] === undefined))
}

function inWords(alternatives: readonly (keyof Given)[]): string {
  return alternatives.map((flag) => `--${kebab(flag)}`).join(' or ')
}

async function askPreset(ctx: Context): Promise<PresetWord> {
  const choices = presetWords.map((word) => `${word}: ${presetMeanings[word]}`)
  const answer = await askWhich(ctx, 'Whose tokens are they?', choices)
  return presetWords[choices.indexOf(answer)] ?? 'generic'
}

const trustName = (answer: string) =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(answer) ||
  'A name has letters, digits, dots, hyphens and underscores, at most 63, and begins with a letter or digit.'
