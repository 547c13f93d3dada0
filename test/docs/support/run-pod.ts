import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Job } from './play-jobs.ts'

/** As far as it is read here. */
interface PodSpec {
  serviceAccountName?: string
  containers: {
    env?: { name: string; value: string }[]
    volumeMounts?: { name: string; mountPath: string }[]
  }[]
  volumes?: { name: string; projected?: { sources: Source[] } }[]
}

interface Source {
  serviceAccountToken?: { audience: string; path: string }
}

/** That of a pod, or of what makes pods; undefined for other documents. */
export function podSpecOf(document: unknown): PodSpec | undefined {
  if (typeof document !== 'object' || document === null || !('spec' in document)) return undefined
  const { spec } = document
  if (typeof spec !== 'object' || spec === null) return undefined
  if ('template' in spec) return podSpecOf(spec.template)
  return isPodSpec(spec) ? spec : undefined
}

const isPodSpec = (spec: object): spec is PodSpec => 'containers' in spec && Array.isArray(spec.containers)

export function showsIdentityOfPod({ volumes = [] }: PodSpec): boolean {
  return volumes.some(({ projected }) => projected?.sources.some((source) => source.serviceAccountToken))
}

/**
 * The variables of its first container, with the tokens of its service account where their volumes are mounted below that
 * directory. Throws for a variable that names a file outside of all volumes.
 */
export async function mountPod(spec: PodSpec, job: Job, directory: string): Promise<Record<string, string>> {
  const [{ env = [], volumeMounts = [] } = {}] = spec.containers
  for (const { name, projected } of spec.volumes ?? []) {
    const mount = volumeMounts.find((each) => each.name === name)
    if (mount === undefined) throw new Error(`the volume ${name} is mounted nowhere`)
    for (const { serviceAccountToken: token } of projected?.sources ?? []) {
      if (token === undefined) continue
      const file = join(directory, mount.mountPath, token.path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, job.ofPod(spec.serviceAccountName ?? 'default', token.audience))
    }
  }
  const variables = env.map(({ name, value }) => {
    if (!name.endsWith('_FILE')) return [name, value]
    const isMounted = volumeMounts.some(({ mountPath }) => value.startsWith(`${mountPath}/`))
    if (!isMounted) throw new Error(`${name} is in no volume: ${value}`)
    return [name, join(directory, value)]
  })
  return { ...Object.fromEntries(variables), AUTHCONN_API_KEY: '' }
}
