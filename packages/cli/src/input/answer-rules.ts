import { isOnThisMachine } from '../on-this-machine.ts'

/**
 * What the vault will not take, known at the question: an answer that is refused later is an answer typed in vain.
 * Each gives true, or what to say to the person. The vault decides; these are no stricter than it is.
 */
type Rule = (answer: string) => true | string

export function isConnectionName(name: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name)
}

export const connectionName: Rule = (answer) =>
  isConnectionName(answer) ||
  'A name has lowercase letters, digits and hyphens, at most 63, and no hyphen at its ends.'

export function isProviderName(answer: string): boolean {
  return /^[a-z0-9-]{1,63}$/.test(answer)
}

export const provider: Rule = (answer) => isProviderName(answer) || providerUrl(answer)

export const providerUrl: Rule = (answer) => {
  if (answer.length > 2048 || /\s/.test(answer) || !URL.canParse(answer)) {
    return 'Please give a whole URL, such as https://accounts.google.com.'
  }
  const url = new URL(answer)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isOnThisMachine(url))) return true
  return 'Please give an https URL; http is for a provider on this machine only.'
}

export const clientId: Rule = (answer) =>
  /^[\x20-\x7e]{1,1024}$/.test(answer) || 'A client id has letters, digits and signs of ASCII, at most 1024.'

export const clientSecret: Rule = (answer) =>
  /^[^\p{Cc}\p{Cs}]{1,4096}$/u.test(answer) ||
  'A client secret has 1 to 4096 characters, and no control characters.'
