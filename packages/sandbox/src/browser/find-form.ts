export interface Form {
  action: string
  method: string
  /** Input names with the values they came with. */
  fields: Map<string, string>
  /** Buttons that send the form. */
  buttons: { name: string; value: string }[]
}

/** The first form of a page. It reads markup as plain as the sandbox's own, not any page of the web. */
export function findForm(page: string): Form | undefined {
  const form = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(page)
  if (!form) return undefined
  const [, head = '', content = ''] = form
  const { action = '', method = 'get' } = readAttributes(head)
  const inputs = readElements(content, 'input').map(({ name = '', value = '' }) => [name, value] as const)
  const buttons = readElements(content, 'button').map(({ name = '', value = '' }) => ({ name, value }))
  return { action, method: method.toUpperCase(), fields: new Map(inputs), buttons }
}

function readElements(markup: string, element: string): Record<string, string>[] {
  return [...markup.matchAll(new RegExp(`<${element}\\b([^>]*)>`, 'gi'))].map(([, head = '']) =>
    readAttributes(head),
  )
}

function readAttributes(head: string): Record<string, string> {
  const attributes = [...head.matchAll(/([a-z-]+)="([^"]*)"/gi)]
  return Object.fromEntries(
    attributes.map(([, name = '', value = '']) => [name.toLowerCase(), unescapeHtml(value)]),
  )
}

const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

function unescapeHtml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_entity, name: string) => characters[name] ?? '')
}
