import { errorCodes, errorTable, exitCodes } from '@authconn/shared/errors'
import { expect, test } from 'vitest'
import { findUnprovoked } from '../scripts/lib/find-unprovoked.ts'
import { noteAnswer, noteEnd, noteServerEnd } from './support/provoked-errors.ts'

test('a code counts when a test that passed has had it told, and not when it failed', () => {
  const all = [...errorCodes]
  expect(findUnprovoked([{ state: 'passed', provoked: all }])).toEqual([])
  const [first, second, ...others] = all
  if (!first || !second) return expect.unreachable()
  const tests = [
    { state: 'passed', provoked: others },
    { state: 'failed', provoked: [first] },
    { state: 'passed', provoked: [second] },
  ] as const
  expect(findUnprovoked(tests)).toEqual([first])
})

test('an error with another status or exit code than the table has is refused', () => {
  const { title, hint } = errorTable.grant_expired
  expect(() => noteAnswer({ status: 400, body: { code: 'grant_expired', title, hint } })).toThrow(/status 400/)
  const stderr = `Error: ${title} [grant_expired]\n  What to do: ${hint}\n`
  expect(() => noteEnd({ exitCode: exitCodes.usage, stderr }, 'played')).toThrow(/exit code 2/)
  const ofServer = `${errorTable.vault_not_started.title} (vault_not_started)\nreason\nhint\n`
  expect(() => noteServerEnd({ code: 2, stderr: ofServer })).toThrow(/exit code 2/)
})

test('an error in other words than those of the table does not count, nor one of a vault that a test plays', ({
  task,
}) => {
  noteAnswer({ status: 409, body: { code: 'grant_expired', title: 'Another title', hint: 'Another hint' } })
  noteServerEnd({ code: 1, stderr: 'Another title (vault_not_started)\nreason\nAnother hint\n' })
  const { title, hint } = errorTable.grant_expired
  const told = JSON.stringify({ code: 'grant_expired', title, hint, exit_code: exitCodes.state })
  noteEnd({ exitCode: exitCodes.state, stderr: `${told}\n` }, 'played')
  expect(task.meta.provoked).toBeUndefined()
})
