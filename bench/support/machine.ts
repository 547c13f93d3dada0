import { cpus, totalmem } from 'node:os'

/** What the figures were measured on. */
export function machine() {
  const [cpu] = cpus()
  return {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpu?.model,
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
  }
}

export function renderMachine({ node, platform, cores, cpu }: ReturnType<typeof machine>): string {
  return `Node ${node} on ${platform}, ${cores} × ${cpu}`
}
