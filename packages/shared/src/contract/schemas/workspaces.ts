import Type, { type Static } from 'typebox'
import { Caller, CreatedCaller } from './callers.ts'
import { ConnectionName, closed, nullableString, timestamp } from './common.ts'

export const NewWorkspace = Type.Object({ name: ConnectionName }, closed)
export type NewWorkspace = Static<typeof NewWorkspace>

export const Workspace = Type.Object(
  { id: Type.String({ format: 'uuid' }), name: ConnectionName, created_at: timestamp },
  { ...closed, description: 'A tenant: connections, grants and callers belong to exactly one' },
)
export type Workspace = Static<typeof Workspace>

export const CreatedWorkspace = Type.Object(
  { ...Workspace.properties, administrator: CreatedCaller },
  { ...closed, description: 'The workspace and its first administrator, whose key is shown in this answer only' },
)
export type CreatedWorkspace = Static<typeof CreatedWorkspace>

export const WorkspaceList = Type.Object({ workspaces: Type.Array(Workspace), next: nullableString() }, closed)

export const Self = Type.Object(
  { ...Caller.properties, workspace: Type.String({ description: 'The name of its workspace' }) },
  { ...closed, description: 'The caller whose API key came with the request' },
)
export type Self = Static<typeof Self>
