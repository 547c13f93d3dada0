import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const beat = 1_000
const deadAfter = 15_000
const giveUpAfter = 10 * 60_000

/**
 * Runs `action` while no other process that asks for the same lock file does.
 * A holder that died is found by its process id or, where that says nothing, by its heart that stopped.
 *
 * @param {string} file
 * @param {string} holder what a waiting person is told it waits for
 * @param {() => Promise<void>} action
 */
export async function withLock(file, holder, action) {
  await acquire(file, holder)
  const heart = setInterval(() => touch(file), beat)
  try {
    await action()
  } finally {
    clearInterval(heart)
    rmSync(file, { force: true })
  }
}

/**
 * @param {string} file
 * @param {string} holder
 */
async function acquire(file, holder) {
  const started = Date.now()
  for (let waited = false; !create(file); waited = true) {
    const owner = readOwner(file)
    if (owner !== undefined && isDead(file, owner)) {
      breakLock(file, owner)
      continue
    }
    if (!waited) console.error(`Waiting for ${holder} …`)
    if (Date.now() - started > giveUpAfter)
      throw new Error(`Gave up waiting for ${holder}. If there is none, delete ${file}`)
    await sleep(200)
  }
}

/** @param {string} file */
function create(file) {
  try {
    writeFileSync(file, JSON.stringify({ id: randomUUID(), pid: process.pid, host: hostname() }), { flag: 'wx' })
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

/**
 * Undefined when the lock is gone; nobody in particular when its owner has not finished writing it.
 *
 * @param {string} file
 * @returns {{ id: string, pid: number, host: string } | undefined}
 */
function readOwner(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return isCode(error, 'ENOENT') ? undefined : { id: 'unwritten', pid: 0, host: '' }
  }
}

/**
 * @param {string} file
 * @param {{ pid: number, host: string }} owner
 */
function isDead(file, owner) {
  try {
    if (Date.now() - statSync(file).mtimeMs > deadAfter) return true
    if (owner.host === hostname()) process.kill(owner.pid, 0)
    return false
  } catch (error) {
    return isCode(error, 'ESRCH')
  }
}

/**
 * Of all who find the lock dead at once, one removes it; nobody removes the lock of its successor.
 *
 * @param {string} file
 * @param {{ id: string }} owner
 */
function breakLock(file, owner) {
  const claim = `${file}.${owner.id}`
  if (!create(claim)) return
  try {
    if (readOwner(file)?.id === owner.id) rmSync(file, { force: true })
  } finally {
    rmSync(claim, { force: true })
  }
}

/** @param {string} file */
function touch(file) {
  const now = new Date()
  try {
    utimesSync(file, now, now)
  } catch {}
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function isCode(error, code) {
  return error instanceof Error && 'code' in error && error.code === code
}
