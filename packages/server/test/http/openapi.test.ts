import { type OperationName, routes } from '@authconn/shared'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { useVault } from '../support/vault.ts'

const v = useVault()

test('/openapi.json is a valid OpenAPI 3.1 document that has every operation', async () => {
  const { status, body } = await v.send('GET', '/openapi.json', { key: null })
  expect(status).toBe(200)
  expect(body.openapi).toBe('3.1.0')
  const { valid, errors } = await new Validator().validate(structuredClone(body))
  expect(valid, JSON.stringify(errors)).toBe(true)

  const declared = Object.entries<Record<string, { operationId: string }>>(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => [operationId, [method.toUpperCase(), path]]),
  )
  expect(Object.fromEntries(declared)).toEqual(routes)
})

test('/openapi.json refers only to what it has', async () => {
  const { body } = await v.send('GET', '/openapi.json', { key: null })
  const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
    (match) => match[1],
  )
  expect(references.length).toBeGreaterThan(20)
  for (const name of references) expect(Object.keys(body.components.schemas)).toContain(name)
})

test('/docs is a page with every operation and error, which runs nothing and loads nothing', async () => {
  const { status, headers, body } = await v.send('GET', '/docs', { key: null })
  expect(status).toBe(200)
  expect(headers['content-type']).toBe('text/html; charset=utf-8')
  expect(headers['content-security-policy']).toContain("default-src 'none'")
  expect(body).not.toMatch(/<script|src=|@import|url\(/)
  for (const name of Object.keys(routes) as OperationName[]) expect(body).toContain(`id="${name}"`)
  expect(body).toContain('id="error-grant_expired"')
})
