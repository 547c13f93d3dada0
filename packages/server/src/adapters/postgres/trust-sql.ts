import { sql } from 'kysely'

/** The trust has not come to its end, if it has one. */
export const isUnended = sql<boolean>`(trusts.expires_at is null or trusts.expires_at > now())`
