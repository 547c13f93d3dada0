import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import type { Setting } from '../pages.ts'
import { findTypeProblems } from './find-type-problems.ts'
import { normalized, patternOf } from './normalized.ts'
import type { Job } from './play-jobs.ts'
import type { Block } from './read-page.ts'
import { mountPod, podSpecOf, showsIdentityOfPod } from './run-pod.ts'
import { runShell } from './run-shell.ts'
import { runWorkflow, showsIdentity } from './run-workflow.ts'
import type { DocsWorld } from './start-docs-world.ts'

export interface Place {
  cwd: string
  world: DocsWorld
  setting: Setting
}

/** Does with a block what its language is for. Throws where that does not succeed, and for a language of no meaning. */
export async function runBlock(block: Block, place: Place): Promise<void> {
  const run = runners[block.language]
  if (run === undefined) throw new Error(`Nobody knows what to do with "${block.language}": name it, or mark it.`)
  await run(block, place)
}

const runners: Readonly<Record<string, (block: Block, place: Place) => unknown>> = {
  sh: (block, place) => shell(block.text, place),
  console: showsOutput,
  ts: runTypeScript,
  js: runTypeScript,
  yaml: runYaml,
  json: ({ text }) => JSON.parse(text),
  http: answersHeaders,
  sql: runStatements,
  dockerfile: ({ text }) => {
    for (const line of text.split('\n')) expect(line).toMatch(/^(FROM|USER|RUN|COPY|ENV|ENTRYPOINT|CMD) \S/)
  },
}

function environmentOf({ world, setting }: Place): Record<string, string> {
  const own = Object.entries(setting.env ?? {}).map(([name, value]) => [
    name,
    { KEY: world.apiKey, EMPTY: world.emptyDatabase.url }[value] ?? value,
  ])
  return { ...world.environment, DOCS_KEY: world.apiKey, ...Object.fromEntries(own) }
}

export async function shell(lines: string, place: Place, where: 'terminal' | 'job' = 'terminal'): Promise<string> {
  let typed = place.world.movedTo(place.cwd, lines)
  for (const [shown, own] of Object.entries(place.setting.instead ?? {})) typed = typed.replaceAll(shown, own)
  const ran = await runShell(typed, place.cwd, environmentOf(place), where)
  expect(ran.code, `${lines}\n${ran.stdout}${ran.stderr}`).toBe(0)
  return ran.stdout
}

/** Each `$ command` prints what stands below it, but for what differs from run to run; … stands for anything. */
async function showsOutput({ text }: Block, place: Place): Promise<void> {
  const [, ...pieces] = `\n${text}`.split(/\n\$ /)
  for (const piece of pieces) {
    const [, command = '', shown = ''] = /^((?:.*\\\n)*.*)(?:\n([\s\S]*))?$/.exec(piece) ?? []
    expect(normalized(await shell(command, place)).trimEnd()).toMatch(patternOf(shown))
  }
}

/** It has no type error, and runs to its end. */
async function runTypeScript(
  { text, title, line, language }: Block,
  { cwd, world, setting }: Place,
): Promise<void> {
  const before = Object.entries(setting.around ?? {}).find(([words]) => text.includes(words))?.[1] ?? ''
  const name = title ?? `line-${line}.${language}`
  await writeFile(join(cwd, name), `${before}${text}\nexport {}\n`)
  const place = { cwd, world, setting }
  if (text.includes('tailor.')) await shell('authconn types --globals --out globals.d.ts', place)
  expect(await findTypeProblems(cwd, [name])).toEqual([])
  // One that only exports something is for the command that comes next.
  if (!/^export default/m.test(text)) await shell(`'${process.execPath}' ${name}`, place)
}

async function runYaml(block: Block, place: Place): Promise<void> {
  for (const document of parseAllDocuments(block.text)) expect(document.errors).toEqual([])
  // Of a cluster's probes the vault answers all.
  for (const [, path] of block.text.matchAll(/httpGet: \{ path: ([^,\s]+)/g)) {
    expect((await fetch(place.world.url + path)).status, path).toBe(200)
  }
  const document = parse(await withSecrets(block.text, place.cwd))
  const run = (lines: string, env: Record<string, string>) =>
    shell(lines, { ...place, setting: withEnv(place.setting, env) }, 'job')
  const pod = podSpecOf(document)
  if (pod) {
    const { jobs } = place.world
    const runAs = async (job: Job) => run('authconn whoami', await mountPod(pod, job, place.cwd))
    return showsIdentityOfPod(pod) ? byIdentity(place, runAs) : void (await mountPod(pod, jobs.own, place.cwd))
  }
  const runAs = (job: Job) => runWorkflow(document, job, run)
  return showsIdentity(document) ? byIdentity(place, runAs) : runAs(place.world.jobs.own)
}

/** It is the identity that counts, and no key that lies about: the vault takes it, and none of a stranger's. */
async function byIdentity({ world }: Place, runAs: (job: Job) => Promise<unknown>): Promise<void> {
  const since = new Date().toISOString()
  await expect(runAs(world.jobs.stranger)).rejects.toThrow('identity_refused')
  await runAs(world.jobs.own)
  expect(await world.exchangesSince(since)).toEqual(['allowed', 'denied'])
}

/** With those that `gh secret set` was given before. */
async function withSecrets(text: string, cwd: string): Promise<string> {
  const names = [...text.matchAll(/\$\{\{ secrets\.(\w+) \}\}/g)].map(([, name = '']) => name)
  let filled = text
  for (const name of names) {
    const secret = await readFile(join(cwd, `${name}.secret`), 'utf8')
    filled = filled.replaceAll(`\${{ secrets.${name} }}`, secret.trim())
  }
  return filled
}

const withEnv = (setting: Setting, env: Record<string, string>): Setting => ({
  ...setting,
  env: { ...setting.env, ...env },
})

/** What it creates goes again. */
async function runStatements({ text }: Block, { world }: Place): Promise<void> {
  const statements = text
    .split(';')
    .map((each) => each.trim())
    .filter(Boolean)
  for (const statement of statements) await world.execute(statement)
  for (const statement of statements.reverse()) {
    const created = /^CREATE (\w+ \w+)/.exec(statement)?.[1]
    if (created) await world.execute(`DROP ${created}`)
  }
}

/** A real answer has these fields, with other numbers. */
async function answersHeaders({ text }: Block, { world }: Place): Promise<void> {
  const authorization = `Bearer ${world.apiKey}`
  const { headers } = await fetch(`${world.url}/v1/connections`, { headers: { authorization } })
  for (const line of text.split('\n')) {
    const [name = '', value = ''] = line.split(/: (.*)/s)
    expect(headers.get(name)?.replaceAll(/\d+/g, 'N'), name).toBe(value.replaceAll(/\d+/g, 'N'))
  }
}
