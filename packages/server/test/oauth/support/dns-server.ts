import { createSocket } from 'node:dgram'
import type { LookupAddress } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { type Answer, decode, encode } from 'dns-packet'
import type { Lookup } from '../../../src/adapters/oauth/resolve-checked.ts'

/** The addresses of a name; `CNAME name` leads on. A function is asked each time, with how often it was before. */
type Zone = Record<string, string[] | ((before: number) => string[])>

/** A real name server on loopback, and a lookup that asks it alone. Its answers are to be kept for no time at all. */
export async function startNameServer(zone: Zone): Promise<{
  lookup: Lookup
  /** The names that were asked for, once for each lookup. */
  asked: string[]
  close(): void
}> {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (message, from) => {
    const { id, questions = [] } = decode(message)
    const [question] = questions
    if (!question) return
    const answers = resolve(zone, question.name.toLowerCase(), question.type, asked)
    const rcode = question.name.toLowerCase() in zone ? 0 : 3
    const reply = encode({ type: 'response', id: id ?? 0, flags: 0x0400 | rcode, questions, answers })
    socket.send(reply, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const resolver = new Resolver({ timeout: 1000, tries: 1 })
  resolver.setServers([`127.0.0.1:${socket.address().port}`])

  return {
    asked,
    close: () => socket.close(),
    lookup(hostname, callback) {
      asked.push(hostname.replace(/\.$/, ''))
      Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]).then(([a, aaaa]) => {
        const found: LookupAddress[] = []
        if (a.status === 'fulfilled') found.push(...a.value.map((address) => ({ address, family: 4 })))
        if (aaaa.status === 'fulfilled') found.push(...aaaa.value.map((address) => ({ address, family: 6 })))
        if (found.length > 0 || a.status === 'fulfilled') callback(null, found)
        else callback(a.reason, [])
      })
    },
  }
}

function resolve(zone: Zone, name: string, type: string | undefined, asked: readonly string[]): Answer[] {
  const entry = zone[name] ?? []
  // Once for each of A and AAAA, so the lookup that is under way is not counted.
  const addresses = typeof entry === 'function' ? entry(asked.filter((one) => one === name).length - 1) : entry
  return addresses.flatMap((data): Answer[] => {
    const [, target] = /^CNAME (.*)$/.exec(data) ?? []
    if (target) return [{ type: 'CNAME', name, ttl: 0, data: target }, ...resolve(zone, target, type, asked)]
    const kind = data.includes(':') ? 'AAAA' : 'A'
    return kind === type ? [{ type: kind, name, ttl: 0, data }] : []
  })
}
