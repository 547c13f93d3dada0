// Why: the statement of every fetch must look into each table by its key. Of a table of a few pages PostgreSQL takes
// it for cheaper to read all of it, for each question anew, which a vault of some dozen callers paid with a fifth of what
// a fetch cost the database. Settings of a session would be lost behind a pooler; those of a function are its own.
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await lookUpTokens.execute(db)
}

/*
 * Who asks, and for what, for as many requests as came together. Each table is looked into by all of its key, one row for
 * each question: `offset 0` keeps the planner from joining by a part of it, which it does where an average connection has
 * few grants, and reads all of one that has many. A refresh token is read only for callers that may see it; an error only
 * where nothing else can be said. What can hold no control character comes as one text, as the driver takes long over
 * each column: parts after a unit separator, parts of a list after an end of line, times in seconds.
 */
const lookUpTokens = sql`create function look_up_tokens(key_hashes bytea[], names text[], subjects text[], addresses text[])
  returns table (n int, caller text, facts text, token_type text, scope text, access_token bytea, refresh_token bytea,
    last_error jsonb)
  language plpgsql stable rows 10
  set enable_seqscan = off
  set plan_cache_mode = force_generic_plan
  as $function$
  #variable_conflict use_column
  begin
    return query select asked.n::int,
      case when c.id is not null then concat_ws(chr(31), c.id, c.workspace_id, c.name,
        array_to_string(c.permissions, chr(10)), array_to_string(c.connections, chr(10)), c.subjects is null,
        coalesce(array_to_string(c.subjects, chr(10)), ''),
        coalesce(date_part('epoch', c.last_used_at)::text, '')) end,
      concat_ws(chr(31), date_part('epoch', now()),
        c.addresses is null or coalesce(asked.address::inet <<= any(c.addresses::inet[]), false),
        coalesce(conn.id::text, ''),
        case when g.id is not null then concat_ws(chr(31), g.id, g.status, g.refresh_token is not null or g.renewable,
          coalesce(date_part('epoch', g.expires_at)::text, ''), g.expiry_assumed, coalesce(g.lifetime::text, ''),
          g.generation, g.blocked, coalesce(date_part('epoch', g.retry_at)::text, ''), g.rejections,
          coalesce(date_part('epoch', g.last_refreshed_at)::text, ''),
          coalesce(date_part('epoch', g.last_used_at)::text, '')) end),
      g.token_type, g.scope, g.access_token,
      case when 'refresh_token:read' = any(c.permissions) then g.refresh_token end,
      case when g.status <> 'active' or g.blocked or g.retry_at is not null then g.last_error end
    from unnest(key_hashes, names, subjects, addresses) with ordinality
      as asked (key_hash, connection, subject, address, n)
    left join lateral (select caller_id from caller_keys
      where key_hash = asked.key_hash and (ends_at is null or ends_at > now()) offset 0) k on true
    left join lateral (select * from callers
      where id = k.caller_id and revoked_at is null and (expires_at is null or expires_at > now()) offset 0) c on true
    left join lateral (select id from connections
      where workspace_id = c.workspace_id and name = asked.connection and deleted_at is null offset 0) conn on true
    left join lateral (select * from grants
      where connection_id = conn.id and subject = asked.subject offset 0) g on true;
  end
  $function$`
