import { type Load, putLoad } from './load.ts'

// Puts load on a vault from a process of its own, so that it does not wait for what it is compared with.

process.on('message', async (load: Load) => process.send?.(await putLoad(load)))
