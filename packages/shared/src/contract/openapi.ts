import type { TSchema } from 'typebox'
import { type ErrorCode, errorTable } from '../errors.ts'
import { type OperationName, routes } from '../routes.ts'
import { bodyErrors, commonErrors, contract } from './contract.ts'
import type { Endpoint } from './endpoint.ts'
import { namedSchemas } from './schemas.ts'

type Json = Record<string, unknown>

/** The OpenAPI 3.1 document of the vault's API, made from the contract. */
export function createOpenApiDocument(version: string): Json {
  const paths: Record<string, Json> = {}
  for (const name of Object.keys(routes) as OperationName[]) {
    const [method, path] = routes[name]
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(name) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'authconn vault',
      version,
      description: 'Keeps OAuth 2.0 connections and their tokens sealed and fresh, and serves them to callers.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(Object.values(contract).map(({ tag }) => tag))].map((name) => ({ name })),
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key of a caller' } },
      schemas: namedSchemas,
    },
  }
}

/** The codes an operation can answer with, its own and the common ones. */
export function errorsOf(name: OperationName): ErrorCode[] {
  const endpoint: Endpoint = contract[name]
  const common =
    endpoint.permission === 'public'
      ? commonErrors.filter((code) => errorTable[code].kind !== 'auth')
      : commonErrors
  return [...new Set<ErrorCode>([...common, ...(endpoint.body ? bodyErrors : []), ...endpoint.errors])]
}

function operation(name: OperationName): Json {
  const endpoint: Endpoint = contract[name]
  const { summary, description, permission, success } = endpoint
  return {
    operationId: name,
    tags: [endpoint.tag],
    summary,
    ...(description ? { description } : {}),
    ...(permission === 'public' ? { security: [] } : { 'x-permission': permission }),
    parameters: [...parameters(endpoint.params, 'path'), ...parameters(endpoint.query, 'query')],
    ...(endpoint.body
      ? { requestBody: { required: true, content: { 'application/json': { schema: reference(endpoint.body) } } } }
      : {}),
    responses: {
      [success.status]: {
        description: success.description,
        content: { 'application/json': { schema: reference(success.schema) } },
      },
      ...errorResponses(errorsOf(name)),
    },
  }
}

function errorResponses(codes: ErrorCode[]): Json {
  const byStatus = Map.groupBy(codes, (code) => errorTable[code].status)
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, group]) => [
        status,
        {
          description: group.map((code) => `\`${code}\`: ${errorTable[code].title}`).join('. '),
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      ]),
  )
}

function parameters(schema: Endpoint['params'], location: 'path' | 'query'): Json[] {
  if (!schema) return []
  const required = new Set<string>(schema.required ?? [])
  return Object.entries(schema.properties).map(([name, property]) => ({
    name,
    in: location,
    required: required.has(name),
    schema: property,
  }))
}

/** Named schemas by reference, the few others in place. */
function reference(schema: TSchema): Json {
  const name = Object.keys(namedSchemas).find((key) => namedSchemas[key] === schema)
  return name ? { $ref: `#/components/schemas/${name}` } : { ...schema }
}
