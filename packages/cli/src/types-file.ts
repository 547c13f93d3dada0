/** A file of declarations by which TypeScript knows the names of the connections. */
export function typesFile(names: readonly string[], { globals }: { globals: boolean }): string {
  const members = [...names].sort().map((name) => `    '${name}': true\n`)
  return `// Written by authconn types. Do not edit: run it again when connections come or go.
import '@authconn/sdk'

declare module '@authconn/sdk' {
  interface ConnectionNames {
${members.join('')}  }
}
${globals ? ofFunctions : ''}`
}

/** What \`authconn function run\` gives to functions. */
const ofFunctions = `
declare global {
  const authconn: Pick<import('@authconn/sdk').AuthconnClient, 'getConnectionToken'>
  const tailor: { authconnection: Pick<import('@authconn/sdk').AuthconnClient, 'getConnectionToken'> }
}
`
