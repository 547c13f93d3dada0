import Type, { type Static } from 'typebox'
import { ConnectionName, closed, nullableString, Subject, stringEnum, timestamp } from './common.ts'
import { Grant } from './grants.ts'
import { scopeList } from './token-requests.ts'

export const Scopes = scopeList(
  'Left out: the default ones of a provider from the catalog, otherwise openid, profile and email. Empty: none, which leaves it to the provider',
)

export const NewAuthorization = Type.Object(
  {
    scopes: Type.Optional(Scopes),
    redirect_uri: Type.String({ minLength: 1, maxLength: 2048 }),
    subject: Type.Optional(Subject),
    timeout: Type.Optional(
      Type.Integer({ minimum: 10, maximum: 3600, default: 600, description: 'Seconds until it expires' }),
    ),
  },
  closed,
)
export type NewAuthorization = Static<typeof NewAuthorization>

export const AuthorizationStatus = stringEnum(['pending', 'completed', 'failed', 'expired'])
export type AuthorizationStatus = Static<typeof AuthorizationStatus>

const authorizationFields = {
  id: Type.String({ format: 'uuid' }),
  connection: ConnectionName,
  subject: nullableString(),
  status: AuthorizationStatus,
  redirect_uri: nullableString({ description: 'null for one by a device code' }),
  scopes: Type.Array(Type.String()),
  failure: nullableString({ description: 'Why it failed, in words; null otherwise' }),
  failure_code: nullableString({ description: 'The same as one of the error codes of this API' }),
  expires_at: timestamp,
}

export const Authorization = Type.Object(authorizationFields, closed)
export type Authorization = Static<typeof Authorization>

export const StartedAuthorization = Type.Object(
  {
    ...authorizationFields,
    authorization_url: Type.String({ description: 'Open it in the browser of the person who consents' }),
    state: Type.String({
      description:
        'What the redirected URL must carry as `state` to be the end of this authorization; it need not be in `authorization_url`',
    }),
  },
  closed,
)
export type StartedAuthorization = Static<typeof StartedAuthorization>

export const NewDeviceAuthorization = Type.Object(
  { scopes: Type.Optional(Scopes), subject: Type.Optional(Subject) },
  closed,
)
export type NewDeviceAuthorization = Static<typeof NewDeviceAuthorization>

export const StartedDeviceAuthorization = Type.Object(
  {
    ...authorizationFields,
    user_code: Type.String({ description: 'What the person types at `verification_uri`' }),
    verification_uri: Type.String({ description: 'Where the person goes, in a browser on any machine' }),
    verification_uri_complete: nullableString({
      description: 'The same with the code in it, where the provider has that',
    }),
  },
  closed,
)
export type StartedDeviceAuthorization = Static<typeof StartedDeviceAuthorization>

export const CompletedAuthorization = Type.Object({ ...authorizationFields, grant: Grant }, closed)
export type CompletedAuthorization = Static<typeof CompletedAuthorization>

export const Callback = Type.Object(
  {
    redirected_url: Type.String({
      minLength: 1,
      maxLength: 16384,
      description: 'The whole URL to which the provider sent the browser',
    }),
  },
  closed,
)
