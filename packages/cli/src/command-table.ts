import type { Command } from './command.ts'

export interface CommandEntry {
  name: string
  summary: string
  /** Also found in the long form, `authconn workspace authconnection NAME`. */
  ofConnections: boolean
  load(): Promise<Command>
}

/** The commands in the order of the help. A command's module is loaded only when the command line names it. */
export const commandTable: readonly CommandEntry[] = [
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
    name: 'update',
    summary: 'Change the client secret of a connection',
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
    name: 'providers',
    summary: 'List the providers known by name',
    ofConnections: false,
    load: async () => (await import('./commands/providers.ts')).providers,
  },
  {
    name: 'version',
    summary: 'Print the version',
    ofConnections: false,
    load: async () => (await import('./commands/version.ts')).versionCommand,
  },
  {
    name: 'help',
    summary: 'Print help for a command',
    ofConnections: false,
    load: async () => (await import('./commands/help.ts')).help,
  },
]
