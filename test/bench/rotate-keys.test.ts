import { expect, inject, test } from 'vitest'
import { rotateUnderLoad } from '../../bench/rotate-keys/rotate-under-load.ts'
import { withRoom } from '../../bench/support/with-room.ts'
import { missed } from '../refresh-storm/support/missed.ts'

test('all keys rotate while tokens are fetched and written, through kills and runs side by side, and no fetch fails', async () => {
  const found = await withRoom('rotate-keys', (room) =>
    rotateUnderLoad(
      inject('postgresUrl'),
      { grants: 2_000, workspaces: 300, vaults: 2, connections: 2, quietSeconds: 1 },
      room,
    ),
  )
  expect(missed(found)).toEqual([])
  expect(found.fetched.example).toBeUndefined()
  expect(found.fetched.fetches).toBeGreaterThan(500)
  expect(found.writes).toBeGreaterThan(50)
}, 240_000)
