import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { keepTo, splitCores, splitList } from '../../bench/support/own-core.ts'

describe('the cores of a machine', () => {
  test.each([
    ['0-1', { own: '0', others: '1' }],
    ['0-3,8', { own: '0', others: '1,2,3,8' }],
    ['2,5-6', { own: '2', others: '5,6' }],
    ['3', undefined],
  ])('%s', (list, split) => {
    expect(splitList(list)).toEqual(split)
  })
})

const split = process.platform === 'linux' ? await splitCores() : undefined

test.runIf(split)('keeps a process and what it starts to its cores', async () => {
  const own = split?.own ?? ''
  const child = spawn('sh', ['-c', 'read line; grep Cpus_allowed_list /proc/self/status'], { stdio: 'pipe' })
  await once(child, 'spawn')
  await keepTo(own, child.pid ?? 0)
  child.stdin.end('go\n')
  const [output] = await once(child.stdout.setEncoding('utf8'), 'data')
  expect(output).toMatch(new RegExp(`^Cpus_allowed_list:\\s+${own}$`, 'm'))
})

test.runIf(split)('does not mind a process that has ended', async () => {
  const child = spawn('true')
  await once(child, 'exit')
  await keepTo('0', child.pid ?? 0)
})
