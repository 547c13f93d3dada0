import { existsSync } from 'node:fs'

type Env = Readonly<Record<string, string | undefined>>

/** Why a browser opened from here would not be before the person's eyes; undefined when nothing speaks against it. */
export function obstacleToBrowser(env: Env, platform = process.platform, exists = existsSync): string | undefined {
  if (env.CI && env.CI !== 'false') return 'this is a CI job'
  if (env.SSH_CONNECTION || env.SSH_CLIENT || env.SSH_TTY) return 'this is an SSH session'
  if (exists('/.dockerenv') || exists('/run/.containerenv')) return 'this is a container'
  // Under Windows (WSL) the browser is that of Windows.
  const display = env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME
  if (platform !== 'darwin' && platform !== 'win32' && !display) return 'there is no display'
  return undefined
}

/** Opens the browser without waiting for it; when that fails, which may show late, says why. */
export function openBrowser(url: string, failed: (reason: string) => void): void {
  const fail = (error: unknown) => failed(error instanceof Error ? error.message : String(error))
  import('open')
    .then(async ({ default: open }) => {
      const opener = await open(url)
      opener.once('error', fail)
      opener.once('exit', (code) => {
        if (code !== 0 && code !== null) failed(`the program that opens it ended with ${code}`)
      })
    })
    .catch(fail)
}
