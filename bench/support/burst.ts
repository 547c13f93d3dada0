const atOnce = 16

/**
 * Sends as many GET requests to each path as the plan says, some at once, and throws unless each is answered with 200.
 * The plan bounds it; it goes only where it is sent, a process of this bench on loopback.
 */
export async function burst(url: string, plan: Record<string, number>, apiKey?: string): Promise<void> {
  const paths = Object.entries(plan).flatMap(([path, count]) => Array<string>(count).fill(path))
  const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
  const queue = paths.values()
  const worker = async () => {
    for (const path of queue) {
      const response = await fetch(new URL(path, url), { headers })
      const body = await response.text()
      if (response.status !== 200) throw new Error(`${path} was answered with ${response.status}: ${body}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
