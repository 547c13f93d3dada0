import { expect, test } from 'vitest'
import { createLanes } from '../../src/core/grants/lanes.ts'

function work() {
  let finish = () => {}
  const done = new Promise<void>((resolve) => {
    finish = resolve
  })
  const state = { started: false, finish }
  return {
    state,
    run: () => {
      state.started = true
      return done
    },
  }
}

test('runs as many at a time in each lane as it is wide, in order, and one lane does not hold up another', async () => {
  const lanes = createLanes({ width: 2 })
  const slow = [work(), work(), work()]
  const quick = work()
  for (const each of slow) lanes.run('slow', each.run)
  lanes.run('quick', quick.run)
  expect(slow.map(({ state }) => state.started)).toEqual([true, true, false])
  expect(quick.state.started).toBe(true)
  expect(lanes.running()).toBe(3)
  expect(lanes.full()).toEqual(['slow'])

  const changed = lanes.changed()
  quick.state.finish()
  await changed
  expect(slow[2]?.state.started).toBe(false)
  slow[0]?.state.finish()
  await lanes.changed()
  expect(slow[2]?.state.started).toBe(true)
  expect(lanes.full()).toEqual(['slow'])
  for (const { state } of slow) state.finish()
  await lanes.changed()
  await new Promise((resolve) => setImmediate(resolve))
  expect([lanes.running(), lanes.full()]).toEqual([0, []])
})
