import { startPgbouncer } from './pgbouncer.ts'

// Starts a PgBouncer for a test that kills this process, and says where it is.

// Listening for the end of the channel also keeps this process alive until then.
process.once('disconnect', () => process.exit())
const { url } = await startPgbouncer(process.env.DATABASE_URL ?? '')
process.send?.(url)
