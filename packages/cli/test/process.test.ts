import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { cliPath, startChild } from './e2e/support/child.ts'

test('a reader that has seen enough ends a command quietly', async () => {
  const child = startChild(cliPath, ['help'], {})
  child.process.stdout?.destroy()
  expect(await child.ended).toEqual({ exitCode: 0, signal: null })
  expect(child.stderr()).toBe('')
})

test.skipIf(!existsSync('/dev/full'))('a result that cannot be written is an error that says so', async () => {
  const command = `"${process.execPath}" "${cliPath}" version > /dev/full`
  const failure: { code: number; stderr: string } = await promisify(execFile)('/bin/sh', ['-c', command]).then(
    () => Promise.reject(new Error('it was written')),
    (error) => error,
  )
  expect(failure.code).toBe(1)
  expect(failure.stderr).toContain('could not be written')
  expect(failure.stderr).not.toMatch(/^\s+at .*:\d+/m)
})

test('talk that nobody can hear does not fail a command', async () => {
  const child = startChild(cliPath, ['lst'], {})
  child.process.stderr?.destroy()
  expect(await child.ended).toEqual({ exitCode: 2, signal: null })
})
