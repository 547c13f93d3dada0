import { parseAst } from 'rolldown/parseAst'

export interface Import {
  /** What is imported; undefined when only running the code tells. */
  from: string | undefined
  /** Gone after compilation. */
  typeOnly: boolean
}

export interface ModuleLinks {
  imports: Import[]
  hasDefaultExport: boolean
}

/** What a TypeScript module imports, statically or not, and whether it exports a default. Throws SyntaxError. */
export function readModuleLinks(path: string, text: string): ModuleLinks {
  const links: ModuleLinks = { imports: [], hasDefaultExport: false }
  visit(parseAst(text, { lang: 'ts' }, path), links)
  return links
}

function visit(value: unknown, links: ModuleLinks): void {
  if (Array.isArray(value)) for (const item of value) visit(item, links)
  if (!isNode(value)) return
  collect(value, links)
  for (const child of Object.values(value)) visit(child, links)
}

interface Node {
  type: string
  [property: string]: unknown
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function collect(node: Node, links: ModuleLinks): void {
  const add = (source: unknown, typeOnly = false) => links.imports.push({ from: literal(source), typeOnly })
  switch (node.type) {
    case 'ImportDeclaration':
      add(node.source, node.importKind === 'type')
      break
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
      if (node.source) add(node.source, node.exportKind === 'type')
      if (exportsDefault(node)) links.hasDefaultExport = true
      break
    case 'ExportDefaultDeclaration':
      links.hasDefaultExport = true
      break
    case 'ImportExpression':
      add(node.source)
      break
    case 'TSImportType':
      add(node.source, true)
      break
    case 'TSExternalModuleReference':
      add(node.expression)
      break
    case 'CallExpression':
      if (isNode(node.callee) && node.callee.name === 'require' && Array.isArray(node.arguments))
        add(node.arguments[0])
  }
}

function literal(source: unknown): string | undefined {
  return isNode(source) && typeof source.value === 'string' ? source.value : undefined
}

function exportsDefault(node: Node): boolean {
  const exported = Array.isArray(node.specifiers)
    ? node.specifiers.map((specifier) => specifier.exported)
    : [node.exported]
  return exported.some((name) => isNode(name) && (name.name === 'default' || name.value === 'default'))
}
