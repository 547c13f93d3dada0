import { errorCodes, errorTable, exitCodes } from '@authconn/shared/errors'
import { expect, test } from 'vitest'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { run } from './support/run.ts'

const answered = errorCodes.filter((code) => errorTable[code].status > 0)

test.each(answered)(
  '%s of the vault is told with its title, reason and hint, and ends with its exit code',
  async (code) => {
    const { kind, title, hint } = errorTable[code]
    const vault = await fakeVault({
      createConnection() {
        throw new Problem(code, 'What happened this time.')
      },
    })
    const command = ['create', 'demo', '--provider-url', 'https://idp.example', '--client-id', 'c']
    const { exitCode, stdout, stderr } = await run([...command, '--client-secret', '-'], {
      url: vault.url,
      stdin: 'secret',
    })
    expect({ exitCode, stdout }).toEqual({ exitCode: exitCodes[kind], stdout: '' })
    const told = ['What happened this time.', `What to do: ${hint.replaceAll(/\bNAME\b/g, 'demo')}`]
    expect(stderr).toBe([`Error: ${title} [${code}]`, ...told, 'Request id: req-1'].join('\n  ').concat('\n'))
  },
)
