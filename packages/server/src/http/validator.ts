import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifySchemaCompiler } from 'fastify'

/**
 * Validates as the contract says: unknown fields are refused, not dropped, and a body is never coerced.
 * Only path and query, which arrive as text, are.
 */
export function createValidatorCompiler(): FastifySchemaCompiler<object> {
  // Coerced from `1e999`, Infinity is a number that bounds refuse; strictly it is none, and would pass them by.
  const text = createAjv({ coerceTypes: true, strictNumbers: false })
  const body = createAjv({ coerceTypes: false })
  return ({ schema, httpPart }) => (httpPart === 'body' ? body : text).compile(schema)
}

function createAjv(options: { coerceTypes: boolean; strictNumbers?: boolean }): Ajv {
  const ajv = new Ajv({
    ...options,
    useDefaults: false,
    removeAdditional: false,
    allErrors: false,
    strict: true,
    allowUnionTypes: true,
    // Brings the schema along with an error, whose description says what a pattern means.
    verbose: true,
  })
  addFormats.default(ajv, ['uri', 'uuid', 'date-time'])
  return ajv
}
