import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { AuthconnError } from '@authconn/sdk'
import { hintFor } from '../output/hint.ts'
import type { Refusal } from './judge-request.ts'

/** What the browser shows at the end. Its words are text, not HTML. */
export interface Page {
  status: number
  title: string
  paragraphs: readonly string[]
}

export function successPage(connection: string, subject: string | null): Page {
  return {
    status: 200,
    title: 'Authorized',
    paragraphs: [
      `The connection ${connection} is authorized${subject === null ? '' : ` for ${subject}`}.`,
      'You can close this window and go back to the terminal.',
    ],
  }
}

export function loggedInPage(name: string): Page {
  return {
    status: 200,
    title: 'Logged in',
    paragraphs: [
      `The command line is logged in as ${name}.`,
      'You can close this window and go back to the terminal.',
    ],
  }
}

/** With a further sentence where the error does not say it all. */
export function failurePage(error: AuthconnError, connection?: string, besides?: string): Page {
  const { title, detail } = error
  const paragraphs = [detail === title ? undefined : detail, besides, hintFor(error, connection)]
  return { status: 400, title, paragraphs: paragraphs.filter((words) => words !== undefined) }
}

/** Resolves when the page has been handed to the system, or the browser is gone, or does not read for 2 seconds. */
export function sendPage(response: ServerResponse, { status, title, paragraphs }: Page): Promise<void> {
  return new Promise((resolve) => {
    const stuck = setTimeout(resolve, 2000)
    response.once('close', () => {
      clearTimeout(stuck)
      resolve()
    })
    response.writeHead(status, { ...headers, 'Content-Type': 'text/html; charset=utf-8' })
    response.end(html(title, paragraphs))
  })
}

/** To a request that is not the one waited for. It does not tell more than that, and ends nothing. */
export function sendRefusal(response: ServerResponse, { status, reason }: Refusal): void {
  response.writeHead(status, {
    ...headers,
    'Content-Type': 'text/html; charset=utf-8',
    ...(status === 405 ? { Allow: 'GET' } : {}),
  })
  response.end(
    html('Not the end of an authorization', [reason, 'If the terminal still waits, go on where you were.']),
  )
}

const style = `
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto 0; padding: 0 1.5rem }
h1 { font-size: 1.5rem; margin: 0 0 .5rem }
p { margin: .5rem 0; overflow-wrap: anywhere }
`

const headers = {
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  Connection: 'close',
}

function html(title: string, paragraphs: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)} – authconn</title>
<style>${style}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>
${paragraphs.map((words) => `<p>${escapeHtml(words)}</p>`).join('\n')}
</main></body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
