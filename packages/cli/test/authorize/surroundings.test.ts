import { expect, test } from 'vitest'
import { adviceFor, obstacleToBrowser, surroundings } from '../../src/authorize/surroundings.ts'

const nothing: string[] = []
const uri = 'http://127.0.0.1:8080/callback'

test.each([
  ['a desktop', { DISPLAY: ':0' }, 'linux', nothing, 'desktop', undefined, undefined],
  ['a Mac', {}, 'darwin', nothing, 'desktop', undefined, undefined],
  ['Windows', {}, 'win32', nothing, 'desktop', undefined, undefined],
  [
    'Linux in Windows',
    { WSL_DISTRO_NAME: 'Debian' },
    'linux',
    nothing,
    'wsl',
    undefined,
    'port 8080 is taken in Windows',
  ],
  [
    'Linux in Windows, as root',
    {},
    'linux',
    ['/proc/sys/fs/binfmt_misc/WSLInterop'],
    'wsl',
    undefined,
    'localhostForwarding',
  ],
  ['a server', {}, 'linux', nothing, 'no display', 'there is no display', undefined],
  [
    'a remote shell',
    { DISPLAY: ':0', SSH_CONNECTION: '1.2.3.4 5 6.7.8.9 22' },
    'linux',
    nothing,
    'ssh',
    'this is an SSH session',
    'ssh -N -L 8080:127.0.0.1:8080 THIS-HOST',
  ],
  ['CI', { DISPLAY: ':0', CI: 'true' }, 'linux', nothing, 'ci', 'this is a CI job', 'Nobody is here to consent'],
  ['CI that is denied', { DISPLAY: ':0', CI: 'false' }, 'linux', nothing, 'desktop', undefined, undefined],
  [
    'a container',
    { DISPLAY: ':0' },
    'linux',
    ['/.dockerenv'],
    'container',
    'this is a container',
    '--network host',
  ],
  [
    'a pod',
    { KUBERNETES_SERVICE_HOST: '10.0.0.1' },
    'linux',
    nothing,
    'container',
    'this is a container',
    '--network host',
  ],
  [
    'a codespace, which is a container too',
    { CODESPACES: 'true' },
    'linux',
    ['/.dockerenv'],
    'codespace',
    'this is a development container',
    'forward port 8080',
  ],
] as const)(
  '%s is known, with its obstacle and what to do',
  (_, env, platform, files, where, obstacle, advice) => {
    const found = surroundings(env, platform, (path) => files.some((file) => file === path))
    expect(found).toBe(where)
    expect(obstacleToBrowser(found)).toBe(obstacle)
    if (advice === undefined) expect(adviceFor(found, uri)).toBeUndefined()
    else expect(adviceFor(found, uri)).toContain(advice)
  },
)
