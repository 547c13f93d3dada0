import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export interface Account {
  uid: number
  gid: number
}

const run = promisify(execFile)

/** Database servers refuse to run as root, so root lends them to an account that owns nothing. */
export async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
    } catch {}
  }
  throw new Error('run the tests as an ordinary user: there is neither a user `postgres` nor a user `nobody`')
}
