import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { findViolations, type Manifest, type Manifests } from './support/architecture.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

const read = (path: string) => readFileSync(join(root, path), 'utf8')

function workspaceManifests(): Manifests {
  const files = ['package.json', ...globSync('packages/*/package.json', { cwd: root })]
  return Object.fromEntries(
    files.map((file) => [file.replace(/\/?package\.json$/, ''), JSON.parse(read(file)) as Manifest]),
  )
}

test('the sources keep to the architecture', () => {
  const files = globSync('packages/*/{src,test}/**/*.ts', { cwd: root }).map((path) => ({
    path,
    text: read(path),
  }))

  expect(files.length).toBeGreaterThan(20)
  expect(findViolations(files, workspaceManifests())).toEqual([])
})

describe('the checker', () => {
  const manifests: Manifests = {
    '': { name: 'workspace', devDependencies: { vitest: '1' } },
    'packages/shared': { name: '@authconn/shared', dependencies: { typebox: '1' } },
    'packages/sdk': { name: '@authconn/sdk', dependencies: { '@authconn/shared': '1' } },
    'packages/cli': {
      name: 'authconn',
      bin: {},
      dependencies: { commander: '1' },
      devDependencies: { '@authconn/sdk': '1', '@authconn/shared': '1', '@types/x': '1' },
    },
    'packages/server': {
      name: '@authconn/server',
      bin: {},
      dependencies: { fastify: '1', kysely: '1' },
      devDependencies: { '@authconn/shared': '1', '@authconn/sandbox': '1', pino: '1' },
    },
    'packages/sandbox': { name: '@authconn/sandbox', dependencies: { 'oidc-provider': '1' } },
  }
  const check = (path: string, text: string) => findViolations([{ path, text }], manifests)

  const core = 'packages/server/src/core/grants/refresh-grant.ts'
  const route = 'packages/server/src/http/routes/tokens.ts'

  test.each([
    [core, "import { refreshPolicy } from './refresh-policy.ts'"],
    [core, "import { open } from '../crypto/envelope.ts'"],
    [core, "import type { Permission } from '@authconn/shared'"],
    [core, "import { errorTable } from '@authconn/shared/errors'"],
    [core, "import { randomBytes } from 'node:crypto'"],
    [route, "import { issueToken } from '../../core/grants/issue-token.ts'"],
    [route, "import type { FastifyInstance } from 'fastify'"],
    [route, "import type { Logger } from 'pino'"],
    ['packages/server/src/compose.ts', "import { createGrantStore } from './adapters/postgres/grant-store.ts'"],
    ['packages/server/src/adapters/postgres/grant-store.ts', "import { sql } from 'kysely'"],
    ['packages/server/src/version.ts', "import manifest from '../package.json' with { type: 'json' }"],
    [
      'packages/server/test/routes.test.ts',
      "import { test } from 'vitest'\nimport { x } from '@authconn/sandbox'",
    ],
    ['packages/shared/src/schemas.ts', "import { Type } from 'typebox'\nimport Value from 'typebox/value'"],
    ['packages/shared/src/local.ts', "import { homedir } from 'node:os'\nimport { join } from 'node:path'"],
    ['packages/shared/src/local.ts', "import { createHmac } from 'node:crypto'"],
    [
      'packages/cli/src/main.ts',
      "import { createClient } from '@authconn/sdk'\nexport const a = 'export default'",
    ],
    ['packages/cli/src/main.ts', "// import '@authconn/server'\nconst text = `import('@authconn/server')`"],
  ])('passes %s with %j', (path, text) => {
    expect(check(path, text)).toEqual([])
  })

  test.each([
    [core, "import { sql } from 'kysely'", 'core may import only'],
    [core, "import type { FastifyInstance } from 'fastify'", 'core may import only'],
    [core, "import { readFile } from 'node:fs/promises'", 'core may import only'],
    [core, "import { createGrantStore } from '../../adapters/postgres/grant-store.ts'", 'core may import only'],
    [core, "export * from '../../adapters/postgres/grant-store.ts'", 'core may import only'],
    [core, "export { app } from '../../http/app.ts'", 'core may import only'],
    [core, "const lazy = () => import('undici')", 'core may import only'],
    [core, "type Pool = import('pg').Pool", 'core may import only'],
    [core, 'const lazy = (name: string) => import(name)', 'only running it tells'],
    [route, "import { createGrantStore } from '../../adapters/postgres/grant-store.ts'", 'only compose'],
    [route, "import type { Row } from '../../adapters/postgres/rows.ts'", 'only compose'],
    ['packages/server/src/jobs/sweeper.ts', "import { x } from '../adapters/oauth/refresh.ts'", 'only compose'],
    [
      'packages/server/src/adapters/oauth/refresh.ts',
      "import { x } from '../../http/problem.ts'",
      'nothing of http',
    ],
    [route, "import pino from 'pino'", 'does not declare'],
    [route, "import helmet from '@fastify/helmet'", 'does not declare'],
    ['packages/server/test/routes.test.ts', "import { chromium } from 'playwright-core'", 'declared neither'],
    ['packages/server/src/main.ts', "import { startSandbox } from '@authconn/sandbox'", 'must not depend on'],
    ['packages/cli/src/main.ts', "const x = await import('@authconn/server')", 'must not depend on'],
    ['packages/sdk/src/client.ts', "import { run } from 'authconn'", 'must not depend on'],
    ['packages/sandbox/src/index.ts', "import { routes } from '@authconn/shared'", 'must not depend on'],
    ['packages/shared/src/local.ts', "import { createClient } from '@authconn/sdk'", 'must not depend on'],
    ['packages/cli/src/main.ts', "import { x } from '../../sdk/src/index.ts'", 'leaves its package'],
    ['packages/shared/src/schemas.ts', "import { join } from 'node:path'", 'only typebox'],
    ['packages/shared/src/local.ts', "import { readFile } from 'node:fs'", 'only typebox'],
    ['packages/sdk/src/client.ts', "import { x } from './call'", 'ends in .ts'],
    ['packages/sdk/src/client.ts', "export { x } from './call.js'", 'ends in .ts'],
    ['packages/sdk/src/client.ts', "const fs = require('fs')", 'start with node:'],
    ['packages/sdk/src/client.ts', 'export default {}', 'default export'],
    ['packages/sdk/src/client.ts', 'const a = 1\nexport { a as default }', 'default export'],
  ])('fails %s with %j', (path, text, reason) => {
    expect(check(path, text)).toContainEqual(expect.stringContaining(reason))
  })

  test('names the file, the import and the reason', () => {
    expect(check(core, "import { sql } from 'kysely'")).toEqual([
      `${core} imports kysely: core may import only itself, @authconn/shared, node:crypto, node:util`,
    ])
  })
})
