import { afterAll, beforeAll, describe, inject } from 'vitest'
import { temporaryDatabase } from './temporary-database.ts'

export type TestDatabase = { kind: 'pglite' } | { kind: 'postgres'; url: string }

/**
 * Runs a suite on PGlite and on PostgreSQL. The suite opens the database itself, and closes it in its own `afterAll`.
 * On PostgreSQL it is an empty database that no other suite sees, dropped afterwards.
 */
export function describeEachDatabase(name: string, suite: (database: TestDatabase) => void): void {
  describe(`${name} on PGlite`, () => suite({ kind: 'pglite' }))
  describe(`${name} on PostgreSQL`, () => {
    const database = temporaryDatabase(inject('postgresUrl'))
    beforeAll(database.create)
    afterAll(database.drop)
    suite({ kind: 'postgres', url: database.url })
  })
}
