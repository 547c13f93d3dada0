import type { FaultKind } from './fault-kind.ts'
import { answerKinds } from './kinds/answer.ts'
import { authorizationKinds } from './kinds/authorization.ts'
import { connectionKinds } from './kinds/connection.ts'
import { idTokenKinds } from './kinds/id-token.ts'
import { tokenKinds } from './kinds/token.ts'

/** Every way in which the sandbox can fail, by name. */
export const faultKinds = {
  ...connectionKinds,
  ...answerKinds,
  ...tokenKinds,
  ...idTokenKinds,
  ...authorizationKinds,
} as const satisfies Record<string, FaultKind>

export type FaultKindName = keyof typeof faultKinds

export const faultKindNames = Object.keys(faultKinds) as FaultKindName[]
