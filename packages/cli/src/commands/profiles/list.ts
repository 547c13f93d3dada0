import { defineCommand } from '../../command.ts'
import { table } from '../../output/table.ts'
import { timeLeft } from '../../output/time.ts'
import { createProfileStore } from '../../profiles/profile-store.ts'

interface ListedProfile {
  name: string
  current: boolean
  url: string
  workspace: string
  caller: string
  key_in: 'keychain' | 'file'
  /** When the key ends, where that is known: of a login in the browser. */
  expires_at: string | null
}

export const listProfiles = defineCommand({
  flags: {},
  examples: [
    ['authconn profiles list', 'the vaults and workspaces that were logged in to, the current one with a *'],
    ['authconn list --profile prod', 'one command with another profile'],
  ],

  async run(ctx): Promise<{ profiles: ListedProfile[] }> {
    const store = createProfileStore(ctx.env)
    const current = await store.current()
    const profiles = (await store.list()).map(
      ({ name, url, workspace, caller, apiKey, login }): ListedProfile => ({
        name,
        current: name === current,
        url,
        workspace,
        caller,
        key_in: apiKey === undefined ? 'keychain' : 'file',
        expires_at: login?.expiresAt ?? null,
      }),
    )
    return { profiles }
  },

  render({ profiles }, view) {
    if (profiles.length === 0) return 'There are no profiles yet.'
    const cells = (of: (profile: ListedProfile) => string) => profiles.map(of)
    return table(
      [
        { heading: '', cells: cells(({ current }) => (current ? '*' : '')) },
        { heading: 'NAME', cells: cells(({ name }) => name), whole: true },
        { heading: 'VAULT', cells: cells(({ url }) => url) },
        { heading: 'WORKSPACE', cells: cells(({ workspace }) => workspace) },
        { heading: 'CALLER', cells: cells(({ caller }) => caller) },
        { heading: 'KEY IN', cells: cells(({ key_in }) => key_in) },
        ...(profiles.some(({ expires_at: end }) => end !== null)
          ? [
              {
                heading: 'EXPIRES IN',
                cells: cells(({ expires_at: end }) => (end === null ? '-' : timeLeft(end, view.now))),
                paint: (cell: string) => (cell === 'ended' ? view.paint.red(cell) : cell),
              },
            ]
          : []),
      ],
      view,
    )
  },

  next: ({ profiles }) => (profiles.length === 0 ? 'Next: authconn login' : undefined),
})
