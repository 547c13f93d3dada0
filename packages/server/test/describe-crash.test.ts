import { describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config/load-config.ts'
import { describeCrash, secretsOf } from '../src/describe-crash.ts'

const kek = Buffer.alloc(32, 7).toString('base64')
const config = loadConfig({
  AUTHCONN_KEK: kek,
  DATABASE_URL: 'postgres://vault:p%2Fw-one@db.example/authconn',
  HTTPS_PROXY: 'http://vault:p%40ss-three@proxy.example:3128',
  AUTHCONN_REDIS_URL: 'redis://vault:half%-two@redis.example/0',
})
const described = (error: unknown) => JSON.stringify(describeCrash(error, secretsOf(config)))

describe('a crash is described', () => {
  test.each(['p%2Fw-one', 'p/w-one', 'half%-two', 'p%40ss-three', 'p@ss-three', kek])(
    'without %s, which is a secret of the settings',
    (secret) => {
      const error = new Error(`refused: ${secret}`, { cause: new Error(`because of ${secret}`) })
      expect(described(error)).not.toContain(secret)
      expect(described(error)).toContain('refused: [secret]')
      expect(described(error)).toContain('because of [secret]')
    },
  )

  test('with the words of a defect, its kind and where it was', () => {
    const text = described(new TypeError("Cannot read properties of undefined (reading 'generation')"))
    expect(text).toContain("Cannot read properties of undefined (reading 'generation')")
    expect(text).toContain('TypeError')
    expect(text).toContain('describe-crash.test.ts')
  })

  test('without what looks like a token, whatever it is', () => {
    expect(described(new Error('Unexpected token in "ya29.a0AfB_byC9x8w7v6u5t4s3"'))).not.toContain('ya29')
  })
})
