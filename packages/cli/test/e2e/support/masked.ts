import type { World } from './world.ts'

/** Without what differs from run to run, each piece replaced by one as long, so that columns stay where they are. */
export function masked(text: string, { env }: Pick<World, 'env'>): string {
  const home = env.HOME ?? ''
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(home, `/tmp/${'-'.repeat(Math.max(0, home.length - 5))}`)
    .replaceAll(/\b(127\.0\.0\.1|localhost):\d{5}\b/g, '$1:PORT0')
    .replaceAll(/-L \d{5}:/g, '-L PORT0:')
    .replaceAll(/\/authorize\?[^\s"\\]+/g, '/authorize?…')
    .replaceAll(/\b[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}\b/g, 'CODE-CODE')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '00000000-0000-0000-0000-000000000000')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z/g, (found) =>
      '2026-01-01T00:00:00.000Z'.slice(0, found.length),
    )
    .replaceAll(/ack_[0-9A-Za-z]{49}/g, `ack_${'x'.repeat(49)}`)
    .replaceAll(/(?<=0{12}:)\d+/g, 'N')
    .replaceAll(/\b\d+:[0-9a-f]{64}\b/g, `N:${'0'.repeat(64)}`)
    .replaceAll(/\bk-[0-9a-f]{8}\b/g, 'k-00000000')
    .replaceAll(/\bin \d+ min\b/g, 'in N min')
    .replaceAll(/\b\d+ ms\b/g, 'N ms')
    .replaceAll(/\b(?:59|58) min\b/g, '59 min')
    .replaceAll(/"node": "[\d.]+"/g, '"node": "0.0.0"')
    .replaceAll(/"platform": "[\w-]+"/g, '"platform": "any"')
    .replaceAll(/\b\d+ records?\b/g, 'N records')
    .replaceAll(/\b\d+ checkpoints?\b/g, 'N checkpoints')
    .replaceAll(/"(records|checkpoints)": \d+/g, '"$1": 0')
    .replaceAll(/("access_token": ")[^"]+/g, '$1TOKEN')
    .replaceAll(/^[\w-]{43}$/gm, 'TOKEN')
}
