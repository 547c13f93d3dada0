import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { browse, type Sandbox, type SandboxOptions, startSandbox } from '@authconn/sandbox'
import { contract, errorsOf, type NewCaller, type Operation, type OperationName, routes } from '@authconn/shared'
import pg from 'pg'
import { afterAll, beforeAll, inject } from 'vitest'
import { noteAnswer } from '../../../../test/support/provoked-errors.ts'
import { composeVault, type Vault } from '../../src/compose.ts'
import { type Config, loadConfig } from '../../src/config/load-config.ts'
import { commandOutput, createLogger } from '../../src/logger.ts'
import { makeOperatorKey } from '../../src/make-operator-key.ts'
import { temporaryDatabase } from './temporary-database.ts'
import { urlOf } from './url-of.ts'

type Input<N extends OperationName> = Partial<Pick<Operation<N>, 'params' | 'query' | 'body'>>

export interface Answer {
  status: number
  headers: Record<string, string | string[] | number | undefined>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers whose shape is the thing under test
  body: any
}

/** A vault on a PostgreSQL database of its own with the sandbox as its provider, for one test file. */
export function useVault(options: { sandbox?: SandboxOptions; environment?: Record<string, string> } = {}) {
  const database = temporaryDatabase(inject('postgresUrl'))
  const dataDirectory = mkdtempSync(join(tmpdir(), 'authconn-test-'))
  const context = {} as TestVault

  beforeAll(async () => {
    await database.create()
    const sandbox = await startSandbox(options.sandbox)
    const config = loadConfig({
      AUTHCONN_DATA_DIR: dataDirectory,
      DATABASE_URL: database.url,
      AUTHCONN_ALLOW_LOOPBACK_PROVIDERS: 'true',
      AUTHCONN_PROVIDER_TIMEOUT: '2',
      AUTHCONN_REFRESH_TIMEOUT: '2',
      // Nothing happens that the test has not asked for.
      AUTHCONN_REFRESH_CONCURRENCY: '0',
      AUTHCONN_RATE_LIMIT: '0',
      AUTHCONN_AUTH_FAILURE_LIMIT: '0',
      AUTHCONN_EXCHANGE_LIMIT: '0',
      AUTHCONN_LOG_LEVEL: 'silent',
      ...options.environment,
    })
    const vault = await composeVault(config, createLogger(config.logLevel, commandOutput(1)))
    const { api_key } = JSON.parse(readFileSync(join(dataDirectory, 'credentials.json'), 'utf8'))
    Object.assign(context, createTestVault(vault, sandbox, api_key, database.url, config))
  })
  afterAll(async () => {
    await context.vault?.close()
    await context.sandbox?.stop()
    await database.drop()
    rmSync(dataDirectory, { recursive: true, force: true })
  })
  return context
}

export type TestVault = ReturnType<typeof createTestVault>

function createTestVault(vault: Vault, sandbox: Sandbox, adminKey: string, databaseUrl: string, config: Config) {
  const succeeded = new Set<OperationName>()

  async function send(
    method: string,
    url: string,
    options: { key?: string | null; body?: unknown; headers?: Record<string, string>; address?: string } = {},
  ): Promise<Answer> {
    const key = options.key === undefined ? adminKey : options.key
    const response = await vault.app.inject({
      method: method as 'GET',
      url,
      ...(options.address === undefined ? {} : { remoteAddress: options.address }),
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined
        ? {}
        : { payload: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
    })
    const isJson = /json/.test(String(response.headers['content-type']))
    const answer = {
      status: response.statusCode,
      headers: response.headers,
      body: isJson ? response.json() : response.body,
    }
    noteAnswer(answer)
    return answer
  }

  async function call<N extends OperationName>(
    name: N,
    input: Input<N> = {},
    key?: string | null,
  ): Promise<Answer> {
    const [method] = routes[name]
    const url = urlOf(name, input.params ?? {}, input.query ?? {})
    const answer = await send(method, url, {
      ...(key === undefined ? {} : { key }),
      ...(input.body === undefined ? {} : { body: input.body }),
    })
    if (answer.status === contract[name].success.status) succeeded.add(name)
    else expectDeclared(name, answer)
    return answer
  }

  /** Creates a connection at the sandbox; its name is random unless given. */
  async function createConnection(given: Record<string, unknown> = {}): Promise<string> {
    const name = `c-${randomBytes(5).toString('hex')}`
    const body = {
      name,
      provider_url: sandbox.issuer,
      client_id: sandbox.client.client_id,
      client_secret: sandbox.client.client_secret,
      ...given,
    }
    const answer = await call('createConnection', { body })
    if (answer.status !== 201) throw new Error(`could not create: ${JSON.stringify(answer.body)}`)
    return answer.body.name
  }

  /** Begins an authorization and consents to it in the scripted browser, up to the redirect to the callback. */
  async function consent(name: string, given: Record<string, unknown> = {}, key?: string) {
    const started = await call(
      'startAuthorization',
      {
        params: { name },
        body: { scopes: ['openid', 'email'], redirect_uri: 'http://127.0.0.1:8080/callback', ...given },
      },
      key,
    )
    if (started.status !== 201) throw new Error(`could not start: ${JSON.stringify(started.body)}`)
    const { redirectedUrl } = await browse(started.body.authorization_url)
    return {
      id: started.body.id as string,
      redirectedUrl,
      authorizationUrl: new URL(started.body.authorization_url),
    }
  }

  async function authorize(name: string, given: Record<string, unknown> = {}): Promise<Answer> {
    const { id, redirectedUrl } = await consent(name, given)
    return call('completeAuthorization', { params: { id }, body: { redirected_url: redirectedUrl } })
  }

  async function createAuthorizedConnection(): Promise<string> {
    const name = await createConnection()
    const { status, body } = await authorize(name)
    if (status !== 200) throw new Error(`could not authorize: ${JSON.stringify(body)}`)
    return name
  }

  async function createCaller(given: Partial<NewCaller>): Promise<string> {
    const body = {
      name: `caller-${randomBytes(5).toString('hex')}`,
      permissions: ['token:read' as const],
      ...given,
    }
    const answer = await call('createCaller', { body })
    if (answer.status !== 201) throw new Error(`could not create the caller: ${JSON.stringify(answer.body)}`)
    return answer.body.api_key
  }

  /** The key of somebody who makes workspaces. */
  async function createOperator(): Promise<string> {
    return (await makeOperatorKey(config, createLogger(config.logLevel, commandOutput(1)))).key.reveal()
  }

  let operator: Promise<string> | undefined
  /** Of somebody who may do it: the administrator, or for what is beyond a workspace an operator. */
  async function keyFor(name: OperationName): Promise<string> {
    if (contract[name].permission !== 'vault:operate') return adminKey
    operator ??= createOperator()
    return operator
  }

  /** A workspace of its own, with the key of its administrator. */
  async function createWorkspace(): Promise<string> {
    const body = { name: `w-${randomBytes(5).toString('hex')}` }
    const answer = await call('createWorkspace', { body }, await keyFor('createWorkspace'))
    if (answer.status !== 201) throw new Error(`could not make the workspace: ${JSON.stringify(answer.body)}`)
    return answer.body.administrator.api_key
  }

  /** Flips the last bit of the stored tokens of a connection. */
  async function damage(name: string): Promise<void> {
    const client = new pg.Client({ connectionString: databaseUrl })
    await client.connect()
    const flip = (column: string) => `${column} = set_bit(${column}, length(${column}) * 8 - 1,
      1 - get_bit(${column}, length(${column}) * 8 - 1))`
    await client.query(
      `update grants set ${flip('access_token')}, ${flip('refresh_token')}
       where connection_id in (select id from connections where name = $1)`,
      [name],
    )
    await client.end()
  }

  return {
    vault,
    config,
    databaseUrl,
    damage,
    sandbox,
    adminKey,
    succeeded,
    send,
    call,
    createConnection,
    createAuthorizedConnection,
    consent,
    authorize,
    createCaller,
    createOperator,
    keyFor,
    createWorkspace,
  }
}

/** Whether the contract says that an operation may answer so: what it lists is all that a client prepares for. */
export function expectDeclared(name: OperationName, answer: Answer): void {
  const codes: string[] = errorsOf(name)
  if (codes.includes(answer.body?.code)) return
  throw new Error(`${name} answered ${answer.status} ${JSON.stringify(answer.body)}, which it does not declare`)
}

/** What every error must be: a problem with code, hint and request id, and nothing of a stack. */
export function expectProblem(answer: Answer, status: number, code: string): void {
  const { hint, request_id } = answer.body
  const problem = { status: answer.status, code: answer.body.code, type: answer.headers['content-type'] }
  if (
    problem.status !== status ||
    problem.code !== code ||
    !String(problem.type).startsWith('application/problem+json') ||
    !hint ||
    !request_id ||
    /\bat .*\.(ts|js):\d+/.test(JSON.stringify(answer.body))
  ) {
    throw new Error(`expected ${status} ${code}, got ${JSON.stringify({ ...problem, body: answer.body })}`)
  }
}
