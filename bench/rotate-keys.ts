import { startPostgres } from '../packages/server/test/support/postgres.ts'
import { bundle } from '../scripts/lib/bundle.ts'
import type { Bench } from './main.ts'
import { renderRotation } from './rotate-keys/render.ts'
import { type RotationPlan, rotateUnderLoad } from './rotate-keys/rotate-under-load.ts'
import { machine } from './support/machine.ts'
import { say } from './support/say.ts'
import { withRoom } from './support/with-room.ts'

const full: RotationPlan = { grants: 100_000, workspaces: 2_000, vaults: 2, connections: 8, quietSeconds: 5 }
const quick: RotationPlan = { grants: 2_000, workspaces: 300, vaults: 2, connections: 4, quietSeconds: 3 }

/** Both kinds of keys rotated under continuous load, with runs that are killed and that run twice at once. */
export const rotateKeys: Bench = {
  summary: 'rotation of all keys with 100,000 grants while tokens are fetched (about three minutes)',
  flags: { '--quick': 'with 2,000 grants (about half a minute)' },
  async run(flags) {
    say('bundling')
    await bundle('server').run()
    const data = await withRoom('rotate-keys', async (room) => {
      const postgres = await startPostgres({ durable: true })
      room.atEnd(postgres.stop)
      const found = await rotateUnderLoad(postgres.url, flags.has('--quick') ? quick : full, room)
      return { date: new Date().toISOString().slice(0, 10), machine: machine(), ...found }
    })
    return { data, text: renderRotation(data), pass: data.aims.every((aim) => aim.pass) }
  },
}
