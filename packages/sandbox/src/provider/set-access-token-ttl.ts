import type { ProviderSettings } from './create-provider.ts'

/** A setting that has no meaning. */
export class InvalidSettingError extends Error {
  override name = 'InvalidSettingError'
}

/** Tokens issued from now on live this many seconds. Throws InvalidSettingError. */
export function setAccessTokenTtl(settings: ProviderSettings, seconds: unknown) {
  if (!isPositiveInteger(seconds))
    throw new InvalidSettingError('"accessTokenTtl" must be whole seconds, at least 1')
  settings.accessTokenTtl = seconds
}

export function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0
}
