import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

/** A fenced or indented piece of code. */
export interface Block {
  page: string
  line: number
  /** Empty where the fence names none. */
  language: string
  /** What the fence calls the file that the block is: `title="sync.ts"`. */
  title: string | undefined
  text: string
}

/** A piece of code within a sentence or a table. */
export interface Phrase {
  page: string
  line: number
  text: string
}

/** The pages whose code is executed, by their paths in the checkout. */
export function pages(): string[] {
  const below = (directory: string) =>
    readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name))
  const ofPackages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`)
  const found = ['README.md', 'CONTRIBUTING.md', ...below('docs'), ...below('examples'), ...ofPackages]
  return found.map((path) => path.replaceAll('\\', '/')).filter(isPage)
}

function isPage(path: string): boolean {
  try {
    return path.endsWith('.md') && readFileSync(join(root, path), 'utf8') !== ''
  } catch {
    return false
  }
}

/** The code of a page in its order. */
export function readPage(page: string): { blocks: Block[]; phrases: Phrase[] } {
  const blocks: Block[] = []
  const phrases: Phrase[] = []
  walk(fromMarkdown(tablesApart(readFileSync(join(root, page), 'utf8'))), (node) => {
    const line = node.position?.start.line ?? 0
    if (node.type === 'inlineCode') phrases.push({ page, line, text: node.value.replaceAll('\n', ' ') })
    if (node.type !== 'code') return
    const title = /\btitle="([^"]+)"/.exec(node.meta ?? '')?.[1]
    blocks.push({ page, line, language: node.lang ?? '', title, text: node.value })
  })
  return { blocks, phrases }
}

/** The parser knows no tables, and would let a backtick of one cell pair with one of another. */
function tablesApart(text: string): string {
  return text
    .split('\n')
    .map((line) => (line.startsWith('|') ? line.replaceAll(/(?<!\\)\|/g, '\u00a0') : line))
    .join('\n')
}

function walk(node: Nodes, visit: (node: Nodes) => void): void {
  visit(node)
  if ('children' in node) for (const child of node.children) walk(child, visit)
}
