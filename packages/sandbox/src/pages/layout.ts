import { createHash } from 'node:crypto'
import type { Context } from '../http/context.ts'
import { Html, html } from './html.ts'

/** Sends a page that runs no script and loads nothing. */
export function sendPage(ctx: Pick<Context, 'status' | 'type' | 'body' | 'set'>, page: Page) {
  ctx.status = page.status ?? 200
  ctx.type = 'html'
  ctx.set({
    'cache-control': 'no-store',
    'content-security-policy': policy,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
  ctx.body = layout(page).markup
}

export interface Page {
  status?: number
  title: string
  content: Html
}

function layout({ title, content }: Page): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Sandbox provider</title>
${styleElement}
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`
}

const styles = `
:root { color-scheme: light dark; --ink: #1c2733; --soft: #55636f; --line: #c6ced6; --paper: #fff; --ground: #eef1f4; --accent: #1858b8; --on-accent: #fff }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7edf3; --soft: #a3b0bc; --line: #46525e; --paper: #1a222b; --ground: #11171d; --accent: #7fb2ff; --on-accent: #0c1a2e }
}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { width: min(100%, 26rem); padding: 2rem; background: var(--paper); border: 1px solid var(--line); border-radius: .75rem }
main:has(table) { width: min(100%, 60rem) }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25 }
h2 { margin: 1.5rem 0 .5rem; font-size: 1.1rem }
p { margin: 0 0 1rem; overflow-wrap: anywhere }
label { display: block; margin: 0 0 .25rem; font-weight: 600 }
input { width: 100%; margin: 0 0 1rem; padding: .6rem .75rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .4rem }
button { padding: .6rem 1.25rem; font: inherit; font-weight: 600; color: var(--accent); background: transparent; border: 1px solid var(--accent); border-radius: .4rem; cursor: pointer }
button.main { color: var(--on-accent); background: var(--accent) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
ul { margin: 0 0 1rem; padding-left: 1.25rem }
.actions { display: flex; gap: .75rem; margin: 1.5rem 0 0 }
.note { color: var(--soft); font-size: .9rem }
.problem { padding: .6rem .75rem; border-left: 4px solid #c0392b }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
th, td { padding: .35rem .5rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line) }
`

const styleElement = new Html(`<style>${styles}</style>`)

// No form-action: browsers hold the redirects after a form to it too, and those lead to the client's own callback.
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(styles).digest('base64')}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')
