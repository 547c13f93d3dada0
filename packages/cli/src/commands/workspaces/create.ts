import type { CreatedWorkspace } from '@authconn/shared'
import { defineCommand } from '../../command.ts'
import { describeKey, shownOnce } from '../../output/caller.ts'
import { plainLine } from '../../output/plain.ts'
import { asOperator } from '../../workspaces/as-operator.ts'
import { workspaceName } from '../../workspaces/workspace-name.ts'

export const createWorkspace = defineCommand({
  description:
    'Takes the key of an operator: AUTHCONN_API_KEY, or what authconn-server operator-key left on this machine. The key of the operator opens nothing in the workspace; the one shown here does, until its owner has rotated it.',
  operand: { label: 'workspace', help: 'the name of the workspace: lowercase letters, digits and hyphens' },
  flags: {},
  examples: [
    ['authconn workspaces create acme', 'a workspace, and the key of its first administrator'],
    ['authconn workspaces create globex --json | jq -r .administrator.api_key', 'that key alone, for scripts'],
  ],

  async run(ctx, _flags, operands): Promise<CreatedWorkspace> {
    const { signal } = ctx
    const body = { name: workspaceName(operands) }
    return ctx.waitFor(
      'Making the workspace',
      asOperator(ctx, (vault) => vault.call('createWorkspace', { body }, { signal })),
    )
  },

  render: ({ name, administrator }, view) =>
    [
      `Made the workspace ${view.paint.bold(plainLine(name))}. Its administrator is ${plainLine(administrator.name)}:`,
      describeKey(administrator, view),
    ].join('\n'),

  next: ({ administrator: { name } }) =>
    `${shownOnce} Whoever it is for should rotate it at once, so that you know it no more: authconn callers rotate ${name} --overlap 0`,
})
