import { existsSync } from 'node:fs'

type Env = Readonly<Record<string, string | undefined>>

/** What this program runs in, as far as it matters to a browser. */
export type Surroundings = 'ci' | 'ssh' | 'codespace' | 'container' | 'wsl' | 'no display' | 'desktop'

export function surroundings(env: Env, platform = process.platform, exists = existsSync): Surroundings {
  if (env.CI && env.CI !== 'false') return 'ci'
  if (env.CODESPACES === 'true' || env.GITPOD_WORKSPACE_ID || env.REMOTE_CONTAINERS === 'true') return 'codespace'
  if (env.SSH_CONNECTION || env.SSH_CLIENT || env.SSH_TTY) return 'ssh'
  if (exists('/.dockerenv') || exists('/run/.containerenv') || env.KUBERNETES_SERVICE_HOST) return 'container'
  // sudo takes the variables away and leaves the file.
  if (env.WSL_DISTRO_NAME || exists('/proc/sys/fs/binfmt_misc/WSLInterop')) return 'wsl'
  const display = env.DISPLAY || env.WAYLAND_DISPLAY
  return platform !== 'darwin' && platform !== 'win32' && !display ? 'no display' : 'desktop'
}

/** Why a browser opened from here would not be before the person's eyes; undefined when nothing speaks against it. */
export function obstacleToBrowser(where: Surroundings): string | undefined {
  return obstacles[where]
}

const obstacles: Readonly<Record<Surroundings, string | undefined>> = {
  ci: 'this is a CI job',
  ssh: 'this is an SSH session',
  codespace: 'this is a development container',
  container: 'this is a container',
  'no display': 'there is no display',
  // Its browser is that of Windows.
  wsl: undefined,
  desktop: undefined,
}

/** How the browser comes back to the listener from where it is, or else how to do without; undefined where it just does. */
export function adviceFor(
  where: Surroundings,
  redirectUri: string,
  purpose: 'authorize' | 'login' = 'authorize',
): string | undefined {
  const { port, hostname } = new URL(redirectUri)
  const listening = port || '80'
  switch (where) {
    case 'ci':
      if (purpose === 'login') {
        return 'Nobody is here to log in. A job has an identity of its own: see authconn help trusts create.'
      }
      return 'Nobody is here to consent. Authorize the connection once, from your own machine: a job only needs its tokens.'
    case 'ssh':
      return `To have the browser of your own machine come back here, run this there first: ssh -N -L ${listening}:${hostname}:${listening} THIS-HOST`
    case 'codespace':
      return `Have the editor forward port ${listening} to the same port of your own machine.`
    case 'container':
      return 'This listens inside of the container, where no published port leads: run it with --network host, or on the machine itself.'
    case 'wsl':
      return `If the browser of Windows does not come back, "localhostForwarding" is off in .wslconfig, or port ${listening} is taken in Windows.`
    case 'no display':
    case 'desktop':
      return undefined
  }
}
