import { readFileSync } from 'node:fs'
import { AuthconnError } from '../core/errors.ts'
import { Secret } from '../core/secret.ts'
import type { SettingName } from './settings.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** An empty value counts as none, as orchestrators pass one for a variable that is not set. */
export function read(env: Environment, name: SettingName): string | undefined {
  return env[name] || undefined
}

export function invalid(name: SettingName, problem: string): AuthconnError {
  return new AuthconnError('setting_invalid', `${name} ${problem}`)
}

export function integer(
  env: Environment,
  name: SettingName,
  range: { min: number; max: number; fallback: number },
): number {
  const text = read(env, name)
  if (text === undefined) return range.fallback
  if (/^tcp:\/\//.test(text)) {
    throw invalid(
      name,
      'is set by Kubernetes for a service named "authconn": set enableServiceLinks: false in the pod, or rename the service',
    )
  }
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (!(number >= range.min && number <= range.max)) {
    throw invalid(name, `must be a whole number from ${range.min} to ${range.max}, not "${text}"`)
  }
  return number
}

export function boolean(env: Environment, name: SettingName, fallback: boolean): boolean {
  const text = read(env, name)
  if (text === undefined) return fallback
  if (text !== 'true' && text !== 'false') throw invalid(name, `must be true or false, not "${text}"`)
  return text === 'true'
}

export function oneOf<T extends string>(
  env: Environment,
  name: SettingName,
  values: readonly T[],
  fallback: T,
): T {
  const text = read(env, name)
  if (text === undefined) return fallback
  const value = values.find((candidate) => candidate === text)
  if (!value) throw invalid(name, `must be one of ${values.join(', ')}, not "${text}"`)
  return value
}

/** What stands between commas. */
export function list(env: Environment, name: SettingName): string[] {
  const parts = (read(env, name) ?? '').split(',').map((part) => part.trim())
  return parts.filter(Boolean)
}

/** A secret given by itself or by a file; never both, since it would be unclear which one counts. */
export function secret(
  env: Environment,
  name: SettingName,
  fileName: SettingName,
): { value: Secret; from: SettingName } | undefined {
  const value = read(env, name)
  const file = read(env, fileName)
  if (value !== undefined && file !== undefined)
    throw invalid(name, `and ${fileName} are both set: keep one of them`)
  if (file === undefined) return value === undefined ? undefined : { value: new Secret(value), from: name }
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new AuthconnError('setting_invalid', `${fileName} names a file that cannot be read: ${file}`, { cause })
  }
  if (!text) throw invalid(fileName, `names an empty file: ${file}`)
  return { value: new Secret(text), from: fileName }
}
