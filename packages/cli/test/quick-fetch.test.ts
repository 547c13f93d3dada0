import { createServer, type RequestListener } from 'node:http'
import { createClient } from '@authconn/sdk'
import { expect, onTestFinished, test } from 'vitest'
import { quickFetch } from '../src/quick-fetch.ts'

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

const clientOf = (url: string, timeout = 5000) => createClient({ url, apiKey: 'ak_x', fetch: quickFetch, timeout })

test('sends method, headers and body, and reads status, headers and body', async () => {
  const url = await serve(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const { method, headers } = request
    response
      .writeHead(418, { 'x-answer': 'yes' })
      .end(JSON.stringify({ method, body, type: headers['content-type'] }))
  })
  const response = await quickFetch(url, { method: 'POST', headers: { 'content-type': 'text/x' }, body: 'späť' })
  expect(response).toMatchObject({ status: 418, ok: false })
  expect(response.headers.get('X-Answer')).toBe('yes')
  expect(response.headers.get('x-none')).toBeNull()
  const chunks: Uint8Array[] = []
  for await (const chunk of response.body ?? []) chunks.push(chunk)
  expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual({ method: 'POST', body: 'späť', type: 'text/x' })
})

test('follows no redirect, which would carry the key along', async () => {
  const asked: (string | undefined)[] = []
  const url = await serve((request, response) => {
    asked.push(request.url)
    response.writeHead(302, { location: '/elsewhere' }).end('x'.repeat(100_000))
  })
  await expect(clientOf(url).call('getHealth', {})).rejects.toThrow(
    'a redirect (status 302), which is not followed',
  )
  expect(asked).toEqual(['/healthz'])
})

test('ends when it is told to: before the answer, and within it', async () => {
  for (const begin of [false, true]) {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      if (begin) response.write('{')
    })
    await expect(clientOf(url, 300).call('getHealth', {})).rejects.toMatchObject({ code: 'vault_unreachable' })
    const asked = clientOf(url).call('getHealth', {}, { signal: AbortSignal.abort(new Error('stopped')) })
    await expect(asked).rejects.toThrow('stopped')
  }
})

test('refuses an answer without end', async () => {
  const url = await serve((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const more = () => {
      while (response.write('x'.repeat(65_536)));
    }
    response.on('drain', more)
    more()
  })
  await expect(clientOf(url).call('getHealth', {})).rejects.toMatchObject({ code: 'vault_answer_invalid' })
})

test('says why nothing is reached', async () => {
  await expect(clientOf('http://127.0.0.1:1').call('getHealth', {})).rejects.toThrow('connection refused')
})
