/** What can change while the sandbox runs. Lifetimes are in seconds and hold for the tokens issued from then on. */
export interface SandboxSettings {
  /** An hour by default. */
  accessTokenTtl: number
  /** 30 days by default. */
  refreshTokenTtl: number
  /** An hour by default. */
  idTokenTtl: number
  /** Whether each refresh gives a new refresh token; using an old one again then ends the family. On by default. */
  rotateRefreshTokens: boolean
  /** Seconds during which a refresh token that was used still works; 0 by default. */
  reuseInterval: number
  /** How long each token request waits before anything is done with it; 0 by default. */
  tokenLatencyMs: number
  /** Seconds that a device must leave between two questions for its outcome; 5 by default. */
  devicePollInterval: number
  /** The member of token answers that tells the seconds the refresh token has left; `none` by default. */
  announceRefreshTokenTtl: Announcement
}

/** A setting that does not exist, or a value that has no meaning for it. */
export class InvalidSettingError extends Error {
  override name = 'InvalidSettingError'
}

/** The defaults with what the options say about settings; other options are overlooked. Throws InvalidSettingError. */
export function createSettings(options: Partial<SandboxSettings>): SandboxSettings {
  const settings = { ...defaults }
  const given = settingNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]))
  changeSettings(settings, Object.fromEntries(given))
  return settings
}

/** Changes all of the given settings, or none. Throws InvalidSettingError. */
export function changeSettings(settings: SandboxSettings, changes: object) {
  for (const [name, value] of Object.entries(changes)) {
    const known = settingNames.find((setting) => setting === name)
    if (!known) throw new InvalidSettingError(`Unknown setting "${name}". Settings: ${settingNames.join(', ')}`)
    if (!rules[known].fits(value)) throw new InvalidSettingError(`"${name}" must be ${rules[known].about}`)
  }
  Object.assign(settings, changes)
}

const defaults: SandboxSettings = {
  accessTokenTtl: 60 * 60,
  refreshTokenTtl: 30 * 24 * 60 * 60,
  idTokenTtl: 60 * 60,
  rotateRefreshTokens: true,
  reuseInterval: 0,
  tokenLatencyMs: 0,
  devicePollInterval: 5,
  announceRefreshTokenTtl: 'none',
}

const settingNames = Object.keys(defaults) as (keyof SandboxSettings)[]

export type Announcement = (typeof announcements)[number]

export const announcements = ['none', 'refresh_token_expires_in', 'x_refresh_token_expires_in'] as const

export const maximumLatencyMs = 10 * 60 * 1000

interface Rule {
  about: string
  fits(value: unknown): boolean
}

const lifetime: Rule = {
  about: 'whole seconds, at least 1',
  fits: (value) => Number.isSafeInteger(value) && Number(value) > 0,
}

const rules: Record<keyof SandboxSettings, Rule> = {
  accessTokenTtl: lifetime,
  refreshTokenTtl: lifetime,
  idTokenTtl: lifetime,
  rotateRefreshTokens: { about: 'true or false', fits: (value) => typeof value === 'boolean' },
  reuseInterval: { about: 'seconds, at least 0', fits: (value) => Number.isFinite(value) && Number(value) >= 0 },
  tokenLatencyMs: {
    about: `milliseconds from 0 to ${maximumLatencyMs}`,
    fits: (value) => Number.isFinite(value) && Number(value) >= 0 && Number(value) <= maximumLatencyMs,
  },
  devicePollInterval: lifetime,
  announceRefreshTokenTtl: {
    about: `one of ${announcements.join(', ')}`,
    fits: (value) => announcements.some((name) => name === value),
  },
}
