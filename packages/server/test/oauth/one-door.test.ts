import { globSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { parseAst } from 'rolldown/parseAst'
import { describe, expect, test } from 'vitest'

const source = join(import.meta.dirname, '../../src')

/** Every module that can open a connection to elsewhere, and the files that may use it. */
const doors: Record<string, readonly string[]> = {
  // The one door to providers, and what it is made of.
  undici: [
    'adapters/oauth/checked-transport.ts',
    'adapters/oauth/open-tunnel.ts',
    // As below: the key service that AUTHCONN_KEK names.
    'adapters/key-services/bounded-fetch.ts',
  ],
  'node:dns': ['adapters/oauth/resolve-checked.ts'],
  // No calls to providers: each goes to the one place that the operator names in a setting.
  pg: ['adapters/postgres/dialects.ts'],
  ioredis: ['adapters/redis/share-counts.ts'],
  '@aws-sdk/client-kms': ['adapters/key-services/aws-kms.ts'],
  'google-auth-library': ['adapters/key-services/gcp-kms.ts'],
  '@azure/keyvault-keys': ['adapters/key-services/azure-key-vault.ts'],
  '@azure/identity': ['adapters/key-services/azure-key-vault.ts'],
  '@opentelemetry/exporter-trace-otlp-http': ['adapters/otel/start-tracing.ts'],
  // Who is called there, and calls nobody.
  'node:http': ['http/create-server.ts'],
  'node:https': ['http/create-server.ts'],
  // Asked whether a debugger is open.
  'node:inspector': ['guard-memory.ts'],
}

/** What opens none by itself. A new dependency is put here, or above, by somebody who has looked. */
const quiet = [
  /^node:(async_hooks|crypto|events|fs|fs\/promises|inspector|path|sqlite|timers\/promises|util)$/,
  /^@authconn\/shared/,
  /^@electric-sql\/pglite/,
  /^@fastify\/under-pressure$/,
  /^@opentelemetry\/(api|core|resources|sdk-trace)$/,
  /^(ajv|ajv-formats|commander|fastify|kysely|kysely\/migration|pino|prom-client)$/,
  // Calls only with what it is given as customFetch: see below.
  /^oauth4webapi$/,
]

/** Of modules that could, what opens nothing: it looks at addresses, or is called and calls nobody. */
const harmless: Record<string, readonly string[]> = {
  // Its createRemoteJWKSet would fetch.
  jose: [
    'calculateJwkThumbprint',
    'createLocalJWKSet',
    'decodeProtectedHeader',
    'errors',
    'exportJWK',
    'jwtVerify',
    'SignJWT',
  ],
  // It also writes the memory to files.
  'node:v8': ['setFlagsFromString'],
  'node:net': ['BlockList', 'isIP', 'isIPv4', 'isIPv6'],
  'node:http': ['createServer', 'Server'],
  'node:https': ['createServer', 'Server'],
}

/** Ways out that need no import, and ways to import without saying so. */
const forbidden = ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'require', 'eval', 'Function']
const forbiddenMembers = ['getBuiltinModule', 'createRequire', 'binding', '_linkedBinding']

const files = globSync('**/*.ts', { cwd: source }).map((file) => file.replaceAll(sep, '/'))

describe('security 20: only safe-fetch goes out', () => {
  test('the doors are there', () => {
    for (const file of Object.values(doors).flat()) expect(files).toContain(file)
  })

  test.each(files)('%s opens none that is not its own', (file) => {
    expect(findWaysOut(file, readFileSync(join(source, file), 'utf8'))).toEqual([])
  })

  test.each([
    ["import { request } from 'node:https'", 'imports node:https'],
    ["import { Agent } from 'undici'", 'imports undici'],
    ["export { request } from 'undici'", 'imports undici'],
    ["const { lookup } = await import('node:dns')", 'imports node:dns'],
    ['const name = "undici"; await import(name)', 'imports what only running it tells'],
    ["import { connect, isIP } from 'node:net'", 'imports node:net'],
    ["import * as net from 'node:net'", 'imports node:net'],
    ["import { createServer, request } from 'node:http'", 'imports node:http'],
    ["export * from 'node:https'", 'imports node:https'],
    ["import { spawn } from 'node:child_process'", 'imports node:child_process'],
    ["import axios from 'axios'", 'imports axios'],
    ["import { createRemoteJWKSet, jwtVerify } from 'jose'", 'imports jose'],
    ["await fetch('https://idp.example')", 'uses fetch'],
    ['const go = fetch; go(url)', 'uses fetch'],
    ["globalThis.fetch('https://idp.example')", 'uses fetch'],
    ["globalThis['fetch'](url)", 'uses fetch'],
    ["process.getBuiltinModule('node:http')", 'uses getBuiltinModule'],
    ["const http = require('node:http')", 'uses require'],
    ["import { revocationRequest } from 'oauth4webapi'", 'calls oauth4webapi without a door'],
    ["import { createCheckedTransport } from './adapters/oauth/checked-transport.ts'", 'goes round safe-fetch'],
  ])('a file with %s is found', (code, what) => {
    expect(findWaysOut('core/example.ts', code)).toContain(what)
  })

  test.each([
    "import type { Agent } from 'undici'",
    "import { type Agent } from 'undici'",
    "import { BlockList, isIP, type Socket } from 'node:net'",
    "import { createServer as createTlsServer } from 'node:https'",
    'const options = { fetch: 1 }; options.fetch',
    '// fetch(url)',
    "import { Secret } from '../core/secret.ts'",
  ])('a file with %s is none of them', (code) => {
    expect(findWaysOut('core/example.ts', code)).toEqual([])
  })
})

/** In a few words each: what in a file could lead out of the vault, and is not allowed there. */
function findWaysOut(file: string, code: string): string[] {
  const found: string[] = []
  const add = (name: string | undefined, specifiers: readonly Node[]) => {
    const problem = judgeImport(file, name, specifiers)
    if (problem) found.push(problem)
  }
  walk(parseAst(code, { lang: 'ts' }, file), (node) => {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportNamedDeclaration':
      case 'ExportAllDeclaration': {
        const specifiers = nodes(node.specifiers).filter((one) => one.importKind !== 'type')
        const isGone = node.importKind === 'type' || node.exportKind === 'type'
        const hadNames = nodes(node.specifiers).length > 0
        if (node.source && !isGone && !(hadNames && specifiers.length === 0)) add(literal(node.source), specifiers)
        break
      }
      case 'ImportExpression':
        add(literal(node.source), [])
        break
      case 'Identifier':
        if (forbidden.includes(String(node.name))) found.push(`uses ${node.name}`)
        break
      case 'MemberExpression': {
        const name = node.computed ? literal(node.property) : isNode(node.property) && String(node.property.name)
        const isOfGlobal = isNode(node.object) && ['globalThis', 'global'].includes(String(node.object.name))
        if (name && (forbiddenMembers.includes(name) || (isOfGlobal && forbidden.includes(name)))) {
          found.push(`uses ${name}`)
        }
      }
    }
  })
  const calls = /import \{[^}]*(Request\b|Request,|validateApplicationLevelSignature)[^}]*\} from 'oauth4webapi'/
  if (calls.test(code) && !/\bprepareCall\(|\[customFetch\]/.test(code)) {
    found.push('calls oauth4webapi without a door')
  }
  return found
}

function judgeImport(file: string, name: string | undefined, specifiers: readonly Node[]): string | undefined {
  if (name === undefined) return 'imports what only running it tells'
  if (name.startsWith('.')) {
    const isInner = /(checked-transport|open-tunnel|resolve-checked)\.ts$/.test(name)
    const isDoor = file === 'adapters/oauth/safe-fetch.ts' || Object.values(doors).flat().includes(file)
    return isInner && !isDoor ? 'goes round safe-fetch' : undefined
  }
  const { [name]: taken } = harmless
  const names = specifiers.map((one) => (isNode(one.imported) ? String(one.imported.name) : 'everything'))
  if (taken && names.length > 0 && names.every((one) => taken.includes(one))) return undefined
  if (doors[name]?.includes(file) || quiet.some((pattern) => pattern.test(name))) return undefined
  return `imports ${name}`
}

interface Node {
  type: string
  [property: string]: unknown
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function nodes(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

function literal(value: unknown): string | undefined {
  return isNode(value) && typeof value.value === 'string' ? value.value : undefined
}

/** Every node but the names of properties, which are no references. */
function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit)
  if (!isNode(value)) return
  visit(value)
  const named = value.type === 'MemberExpression' ? 'property' : 'key'
  for (const [key, child] of Object.entries(value)) {
    if (key === named && !value.computed && isNode(child) && child.type === 'Identifier') continue
    walk(child, visit)
  }
}
