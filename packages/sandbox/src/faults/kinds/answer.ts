import { type Endpoint, endpointNames } from '../../http/endpoints.ts'
import type { EditKind, FaultKind } from '../fault-kind.ts'
import { editJson } from './edit-json.ts'

const backChannel: readonly Endpoint[] = endpointNames.filter((name) => name !== 'authorization')
const clientEndpoints: readonly Endpoint[] = [
  'token',
  'revocation',
  'introspection',
  'pushed_authorization',
  'device_authorization',
  'userinfo',
]
const jsonEndpoints: readonly Endpoint[] = [
  'token',
  'introspection',
  'pushed_authorization',
  'device_authorization',
  'userinfo',
  'jwks',
  'discovery',
]

/** Faults that any endpoint can have: wrong statuses, wrong media types, broken JSON. */
export const answerKinds = {
  status: {
    about: 'Answers with any status (500 by default), headers and body (none by default)',
    endpoints: endpointNames,
    options: ['status', 'body', 'contentType', 'headers'],
    act({ options, answer }) {
      const { status = 500, body = '', contentType = 'text/plain; charset=utf-8', headers } = options
      answer({ status, body, headers: { ...(body && { 'content-type': contentType }), ...headers } })
    },
  },
  oauth_error: {
    about: 'Answers with an OAuth error (invalid_grant by default); its usual status unless one is given',
    endpoints: clientEndpoints,
    options: ['error', 'description', 'status', 'headers'],
    act({ options, answer }) {
      const { error = 'invalid_grant', description, status = usualStatus[error] ?? 400, headers } = options
      const challenge = status === 401 ? { 'www-authenticate': `Basic realm="sandbox"` } : {}
      answer({
        status,
        headers: { 'content-type': 'application/json', ...challenge, ...headers },
        body: JSON.stringify({ error, ...(description !== undefined && { error_description: description }) }),
      })
    },
  },
  error_in_200: {
    about: 'Answers with an OAuth error (invalid_grant by default) under status 200',
    endpoints: clientEndpoints,
    options: ['error', 'description'],
    act({ options: { error = 'invalid_grant', description }, answer }) {
      const body = { error, ...(description !== undefined && { error_description: description }) }
      answer({ status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    },
  },
  html: {
    about: 'Answers 200 with a web page, as the sign-in page of a network does',
    endpoints: endpointNames,
    options: ['status', 'body'],
    act({ options, answer }) {
      const { status = 200, body = '<!doctype html><title>Welcome to the network</title><p>Please sign in.' } =
        options
      answer({ status, headers: { 'content-type': 'text/html; charset=utf-8' }, body })
    },
  },
  redirect: {
    about:
      'Redirects (302 by default) elsewhere: to a page of the sandbox that counts who followed, or to location',
    endpoints: backChannel,
    options: ['location', 'status'],
    act({ options, issuer, answer }) {
      answer({
        status: options.status ?? 302,
        headers: { location: options.location ?? `${issuer}/sandbox/elsewhere` },
        body: '',
      })
    },
  },
  truncated_json: {
    about: 'Does what was asked and sends the first half of the answer',
    endpoints: jsonEndpoints,
    options: [],
    edit: (answer) =>
      answer.body.startsWith('{') ? { ...answer, body: answer.body.slice(0, answer.body.length / 2) } : undefined,
  } satisfies EditKind,
  edit_json: {
    about: 'Sets and removes members of a successful answer',
    endpoints: jsonEndpoints,
    options: ['set', 'remove'],
    edit: editJson((json, { options }) => {
      for (const name of options.remove ?? []) delete json[name]
      return { ...json, ...options.set }
    }),
  },
} as const satisfies Record<string, FaultKind>

const usualStatus: Record<string, number> = {
  invalid_client: 401,
  invalid_token: 401,
  temporarily_unavailable: 503,
}
