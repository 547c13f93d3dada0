import type { Command } from './command.ts'

export interface CommandEntry {
  name: string
  summary: string
  load(): Promise<Command>
}

/** Commands about one kind of thing: `authconn callers list`. */
export interface CommandGroup {
  name: string
  summary: string
  commands: readonly CommandEntry[]
}

export type TableEntry =
  | (CommandEntry & {
      /** Also found in the long form, `authconn workspace authconnection NAME`. */
      ofConnections?: true
    })
  | CommandGroup

export function isGroup(entry: TableEntry): entry is CommandGroup {
  return 'commands' in entry
}

/** The commands in the order of the help. A command's module is loaded only when the command line names it. */
export const commandTable: readonly TableEntry[] = [
  {
    name: 'create',
    summary: 'Create a connection: an OAuth client at a provider',
    ofConnections: true,
    load: async () => (await import('./commands/create.ts')).create,
  },
  {
    name: 'authorize',
    summary: 'Authorize a connection in the browser',
    ofConnections: true,
    load: async () => (await import('./commands/authorize.ts')).authorize,
  },
  {
    name: 'list',
    summary: 'List the connections and their status',
    ofConnections: true,
    load: async () => (await import('./commands/list.ts')).list,
  },
  {
    name: 'get',
    summary: 'Show a connection',
    ofConnections: true,
    load: async () => (await import('./commands/get.ts')).get,
  },
  {
    name: 'token',
    summary: 'Print a fresh access token',
    ofConnections: true,
    load: async () => (await import('./commands/token.ts')).token,
  },
  {
    name: 'run',
    summary: 'Run a program with tokens in its environment',
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'proxy',
    summary: 'Put the token into the requests of programs that must not see it',
    load: async () => (await import('./commands/proxy.ts')).proxy,
  },
  {
    name: 'function',
    summary: 'Run functions that use the tokens of connections',
    commands: [
      {
        name: 'run',
        summary: 'Run the default export of a module, JavaScript or TypeScript, with access to tokens',
        load: async () => (await import('./commands/function/run.ts')).runFunctionFile,
      },
    ],
  },
  {
    name: 'types',
    summary: 'Write the names of the connections into a file for TypeScript',
    load: async () => (await import('./commands/types.ts')).types,
  },
  {
    name: 'update',
    summary: 'Change the client secret or key of a connection',
    ofConnections: true,
    load: async () => (await import('./commands/update.ts')).update,
  },
  {
    name: 'revoke',
    summary: 'Revoke the tokens of a connection, here and at the provider',
    ofConnections: true,
    load: async () => (await import('./commands/revoke.ts')).revoke,
  },
  {
    name: 'delete',
    summary: 'Delete a connection, revoking its tokens',
    ofConnections: true,
    load: async () => (await import('./commands/delete.ts')).deleteCommand,
  },
  {
    name: 'callers',
    summary: 'Make, list, rotate and revoke callers: those who talk to the vault with an API key',
    commands: [
      {
        name: 'create',
        summary: 'Create a caller and show its API key, this once',
        load: async () => (await import('./commands/callers/create.ts')).createCaller,
      },
      {
        name: 'list',
        summary: 'List the callers and what they may do',
        load: async () => (await import('./commands/callers/list.ts')).listCallers,
      },
      {
        name: 'rotate',
        summary: 'Give a caller a new API key; the former one works on for a while',
        load: async () => (await import('./commands/callers/rotate.ts')).rotateCaller,
      },
      {
        name: 'revoke',
        summary: 'Revoke a caller: its API keys are refused from now on',
        load: async () => (await import('./commands/callers/revoke.ts')).revokeCaller,
      },
    ],
  },
  {
    name: 'trusts',
    summary: 'Say whose OIDC tokens the vault takes, so that jobs, pods and people need no stored key',
    commands: [
      {
        name: 'create',
        summary: 'Trust the OIDC tokens of CI jobs, pods or people',
        load: async () => (await import('./commands/trusts/create.ts')).createTrust,
      },
      {
        name: 'list',
        summary: 'List the trusts',
        load: async () => (await import('./commands/trusts/list.ts')).listTrusts,
      },
      {
        name: 'get',
        summary: 'Show a trust',
        load: async () => (await import('./commands/trusts/get.ts')).getTrust,
      },
      {
        name: 'revoke',
        summary: 'Revoke a trust: its tokens, and the keys given for them, are refused from now on',
        load: async () => (await import('./commands/trusts/revoke.ts')).revokeTrust,
      },
    ],
  },
  {
    name: 'audit',
    summary: 'Read and verify the record of what the vault decided',
    commands: [
      {
        name: 'list',
        summary: 'List what the vault decided, newest first, or follow it',
        load: async () => (await import('./commands/audit/list.ts')).listAudit,
      },
      {
        name: 'verify',
        summary: 'Verify that no record was changed, removed, moved or forged',
        load: async () => (await import('./commands/audit/verify.ts')).verifyAudit,
      },
    ],
  },
  {
    name: 'workspaces',
    summary: 'Make and list workspaces, as an operator of the vault',
    commands: [
      {
        name: 'create',
        summary: "Make a workspace and show its first administrator's API key, this once",
        load: async () => (await import('./commands/workspaces/create.ts')).createWorkspace,
      },
      {
        name: 'list',
        summary: 'List the workspaces',
        load: async () => (await import('./commands/workspaces/list.ts')).listWorkspaces,
      },
    ],
  },
  {
    name: 'login',
    summary: 'Log in to a vault, with an API key or in the browser; the key is kept for the next commands',
    load: async () => (await import('./commands/login.ts')).login,
  },
  {
    name: 'logout',
    summary: 'Forget the API key of a profile',
    load: async () => (await import('./commands/logout.ts')).logout,
  },
  {
    name: 'whoami',
    summary: 'Show which vault this is, and what the API key may do there',
    load: async () => (await import('./commands/whoami.ts')).whoami,
  },
  {
    name: 'profiles',
    summary: 'List the profiles that were logged in to, and choose one',
    commands: [
      {
        name: 'list',
        summary: 'List the profiles',
        load: async () => (await import('./commands/profiles/list.ts')).listProfiles,
      },
      {
        name: 'use',
        summary: 'Make a profile the current one',
        load: async () => (await import('./commands/profiles/use.ts')).useProfile,
      },
    ],
  },
  {
    name: 'providers',
    summary: 'List the providers known by name',
    load: async () => (await import('./commands/providers.ts')).providers,
  },
  {
    name: 'open',
    summary: "Open the provider's console, where the application of a connection is registered",
    ofConnections: true,
    load: async () => (await import('./commands/open.ts')).openConsole,
  },
  {
    name: 'doctor',
    summary: 'Find out what is wrong, and explain the usual OAuth errors',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'completion',
    summary: 'Print the script by which a shell completes commands, flags and names',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
  {
    name: 'version',
    summary: 'Print the version',
    load: async () => (await import('./commands/version.ts')).versionCommand,
  },
  {
    name: 'help',
    summary: 'Print help for a command',
    load: async () => (await import('./commands/help.ts')).help,
  },
]
