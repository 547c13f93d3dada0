import type { CompleteAuthorization } from '../../core/connections/complete-authorization.ts'
import type { StartAuthorization } from '../../core/connections/start-authorization.ts'
import type { StartDeviceAuthorization } from '../../core/connections/start-device-authorization.ts'
import type { WatchAuthorization } from '../../core/connections/watch-authorization.ts'
import type { Handlers } from '../operation.ts'
import { viewAuthorization, viewGrant } from '../views.ts'

type Operations =
  | 'startAuthorization'
  | 'startDeviceAuthorization'
  | 'getAuthorization'
  | 'completeAuthorization'
  | 'cancelAuthorization'

export function authorizationRoutes(deps: {
  startAuthorization: StartAuthorization
  startDeviceAuthorization: StartDeviceAuthorization
  completeAuthorization: CompleteAuthorization
  watchAuthorization: WatchAuthorization
}): Pick<Handlers, Operations> {
  return {
    async startAuthorization({ caller, params, body }) {
      const { authorization, authorizationUrl, state } = await deps.startAuthorization(caller, params.name, body)
      return { ...viewAuthorization(authorization), authorization_url: authorizationUrl, state }
    },
    async startDeviceAuthorization({ caller, params, body }) {
      const { authorization, shown } = await deps.startDeviceAuthorization(caller, params.name, body)
      return {
        ...viewAuthorization(authorization),
        user_code: shown.userCode,
        verification_uri: shown.verificationUri,
        verification_uri_complete: shown.verificationUriComplete,
      }
    },
    async getAuthorization({ caller, params }) {
      return viewAuthorization(await deps.watchAuthorization.get(caller, params.id))
    },
    async completeAuthorization({ caller, params, body }) {
      const { authorization, grant, now } = await deps.completeAuthorization(
        caller,
        params.id,
        body.redirected_url,
      )
      return { ...viewAuthorization(authorization), grant: viewGrant(grant, now) }
    },
    async cancelAuthorization({ caller, params }) {
      return viewAuthorization(await deps.watchAuthorization.cancel(caller, params.id))
    },
  }
}
