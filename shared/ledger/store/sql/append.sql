-- The one function that appends (event-store contract, DESIGN §4). Whatever migration changes it runs this file again.
--
-- One call = one transaction = one batch of commands. A row comes back for each, in order of precedence:
--   1 duplicate   it, or its request, was appended before: first_position is the original's
--   2 conflict    its stream is not at the expected version
--   3 guard       a stream that was read to decide is no longer at that version
--   4 taken       a name that it takes belongs to an earlier event: first_position is that event's
--   0 appended

SELECT set_config('ledger.maintenance', 'on', true);
SET ROLE ledger_owner;
DROP FUNCTION IF EXISTS ledger.append;
CREATE FUNCTION ledger.append(
  p_log smallint, p_epoch bigint,
  p_cmd uuid[], p_stream text[], p_expected bigint[], p_n int[],           -- one entry a command
  p_ord int[], p_topic text[], p_leaf bytea[], p_state bytea[],            -- one entry an event, in command order; p_ord = its command, from 1
  p_g_ord int[] DEFAULT '{}', p_g_stream text[] DEFAULT '{}', p_g_version bigint[] DEFAULT '{}',    -- one entry a guard; p_g_ord = its command
  p_v_ord int[] DEFAULT '{}', p_v_name text[] DEFAULT '{}', p_v_blob bytea[] DEFAULT '{}',          -- one a sealed value; p_v_ord = its event, from 1
  p_r_ord int[] DEFAULT '{}', p_r_tenant text[] DEFAULT '{}', p_r_route text[] DEFAULT '{}',        -- one a command that came as a request;
  p_r_key_hash bytea[] DEFAULT '{}', p_r_fingerprint bytea[] DEFAULT '{}',                          -- p_r_ord = that command
  p_k_ord int[] DEFAULT '{}', p_k_tenant text[] DEFAULT '{}', p_k_kind text[] DEFAULT '{}', p_k_hash bytea[] DEFAULT '{}') -- one a name that a command takes
RETURNS TABLE (ord int, status smallint, first_position bigint, current_version bigint, recorded_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE v_pos bigint; v_at timestamptz; v_epoch bigint; BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'ledger.append needs READ COMMITTED' USING ERRCODE = 'invalid_transaction_state'; END IF;
  IF p_ord IS DISTINCT FROM (SELECT array_agg(u.o::int ORDER BY u.o) FROM unnest(p_n) WITH ORDINALITY u(n, o), generate_series(1, u.n))
     OR EXISTS (SELECT FROM unnest(p_n) n WHERE n < 1)
     OR (cardinality(p_ord) = ALL (ARRAY[cardinality(p_topic), cardinality(p_leaf), cardinality(p_state)])
         AND cardinality(p_n) = ALL (ARRAY[cardinality(p_cmd), cardinality(p_stream), cardinality(p_expected)])
         AND cardinality(p_g_ord) = ALL (ARRAY[cardinality(p_g_stream), cardinality(p_g_version)])
         AND cardinality(p_v_ord) = ALL (ARRAY[cardinality(p_v_name), cardinality(p_v_blob)])
         AND cardinality(p_r_ord) = ALL (ARRAY[cardinality(p_r_tenant), cardinality(p_r_route), cardinality(p_r_key_hash), cardinality(p_r_fingerprint)])
         AND cardinality(p_k_ord) = ALL (ARRAY[cardinality(p_k_tenant), cardinality(p_k_kind), cardinality(p_k_hash)])
         ) IS NOT TRUE
     OR EXISTS (SELECT FROM unnest(p_g_ord, p_g_stream, p_g_version) AS x(o, s, v)
                WHERE (x.o BETWEEN 1 AND cardinality(p_n) AND x.s IS NOT NULL AND x.v IS NOT NULL) IS NOT TRUE)
     OR EXISTS (SELECT FROM unnest(p_v_ord) x WHERE (x BETWEEN 1 AND cardinality(p_ord)) IS NOT TRUE)
     OR EXISTS (SELECT FROM unnest(p_k_ord) x WHERE (x BETWEEN 1 AND cardinality(p_n)) IS NOT TRUE)
     OR EXISTS (SELECT FROM unnest(p_r_ord) x GROUP BY x HAVING count(*) > 1 OR (x BETWEEN 1 AND cardinality(p_n)) IS NOT TRUE) THEN
    RAISE EXCEPTION 'arrays disagree' USING ERRCODE = 'invalid_parameter_value'; END IF;
  IF EXISTS (SELECT FROM (SELECT DISTINCT split_part(s, '/', 1) AS c FROM unnest(p_stream) s) k LEFT JOIN ledger.owners o ON o.category = k.c
             WHERE o.writer IS NULL OR NOT pg_has_role(session_user, o.writer, 'MEMBER')) THEN
    RAISE EXCEPTION '% does not own one of these streams', session_user USING ERRCODE = 'insufficient_privilege'; END IF;
  SELECT l.position, greatest(clock_timestamp(), l.last_at), l.epoch INTO STRICT v_pos, v_at, v_epoch
    FROM ledger.logs l WHERE l.log_id = p_log FOR UPDATE;                  -- the next statement takes a fresh snapshot
  IF v_epoch <> p_epoch THEN RAISE EXCEPTION 'fenced: epoch % is not %', p_epoch, v_epoch USING ERRCODE = 'object_not_in_prerequisite_state'; END IF;
  RETURN QUERY
  WITH c AS MATERIALIZED (
    SELECT u.o::int AS o, u.cmd, u.s, u.e, u.n, (sum(u.n) OVER (ORDER BY u.o) - u.n)::int AS off
    FROM unnest(p_cmd, p_stream, p_expected, p_n) WITH ORDINALITY AS u(cmd, s, e, n, o)
  ), r AS MATERIALIZED (                                                   -- requests, and what an earlier try of them left
    SELECT u.o, u.tenant, u.route, u.key_hash, u.fingerprint, q.position AS seen
    FROM unnest(p_r_ord, p_r_tenant, p_r_route, p_r_key_hash, p_r_fingerprint) AS u(o, tenant, route, key_hash, fingerprint)
    LEFT JOIN LATERAL (                                                    -- one look-up a row: a plan made on empty tables
      SELECT x.position FROM ledger.requests x                             -- would join whole tables until it is made anew
      WHERE x.log_id = p_log AND x.tenant = u.tenant AND x.route = u.route AND x.key_hash = u.key_hash LIMIT 1) q ON true
  ), badguard AS (
    SELECT g.o FROM unnest(p_g_ord, p_g_stream, p_g_version) AS g(o, s, v)
    LEFT JOIN LATERAL (
      SELECT t.version FROM ledger.streams t WHERE t.log_id = p_log AND t.stream_id = g.s LIMIT 1) st ON true
    LEFT JOIN c w ON w.s = g.s AND w.o < g.o                               -- written earlier in this very batch
    WHERE coalesce(st.version, 0) <> g.v OR w.o IS NOT NULL
  ), taken AS (                                                            -- names that earlier commands took, and for which event
    SELECT k.o, min(q.position) AS position FROM unnest(p_k_ord, p_k_tenant, p_k_kind, p_k_hash) AS k(o, tenant, kind, hash)
    CROSS JOIN LATERAL (
      SELECT x.position FROM vault.names x
      WHERE x.log_id = p_log AND x.tenant = k.tenant AND x.kind = k.kind AND x.hash = k.hash LIMIT 1) q GROUP BY k.o
  ), j AS MATERIALIZED (
    SELECT c.*, coalesce(st.version, 0) AS cur, st.first_position AS fp, st.last_position AS lp, r.seen,
           EXISTS (SELECT FROM badguard b WHERE b.o = c.o) AS gbad
    FROM c LEFT JOIN LATERAL (
      SELECT t.version, t.first_position, t.last_position FROM ledger.streams t
      WHERE t.log_id = p_log AND t.stream_id = c.s LIMIT 1) st ON true LEFT JOIN r ON r.o = c.o
  ), d AS MATERIALIZED (                                                   -- a retry finds its request, or its own command at expected + 1
    SELECT j.*, CASE WHEN j.seen IS NOT NULL THEN j.seen WHEN j.cur > j.e THEN (SELECT ev.position FROM ledger.events ev WHERE ev.log_id = p_log AND ev.stream_id = j.s
             AND ev.version = j.e + 1 AND ev.command_id = j.cmd AND ev.position BETWEEN j.fp AND j.lp) END AS dup FROM j
  ), g AS MATERIALIZED (
    SELECT d.o, d.cmd, d.s, d.e, d.n, d.off, d.cur, d.dup, t.position AS held, x.st,
           v_pos + 1 + (sum(CASE WHEN x.st = 0 THEN d.n ELSE 0 END) OVER (ORDER BY d.o) - CASE WHEN x.st = 0 THEN d.n ELSE 0 END)::bigint AS fpos
    FROM d LEFT JOIN taken t ON t.o = d.o, LATERAL (SELECT (CASE WHEN d.dup IS NOT NULL THEN 1 WHEN d.cur <> d.e THEN 2 WHEN d.gbad THEN 3
                                                    WHEN t.position IS NOT NULL THEN 4 ELSE 0 END)::smallint AS st) x
  ), ins AS (
    INSERT INTO ledger.events (log_id, position, stream_id, version, command_id, topic, recorded_at, leaf, state)
    SELECT p_log, g.fpos + (u.k - g.off) - 1 AS pos, g.s, g.e + (u.k - g.off), g.cmd, u.topic, v_at, u.leaf, u.state
    FROM unnest(p_ord, p_topic, p_leaf, p_state) WITH ORDINALITY AS u(o, topic, leaf, state, k) JOIN g ON g.o = u.o WHERE g.st = 0 ORDER BY pos
    RETURNING 1), ss AS (
    INSERT INTO ledger.streams AS t (log_id, stream_id, version, first_position, last_position)
    SELECT p_log, g.s, g.e + g.n, g.fpos, g.fpos + g.n - 1 FROM g WHERE g.st = 0
    ON CONFLICT (log_id, stream_id) DO UPDATE SET version = excluded.version, last_position = excluded.last_position RETURNING 1), sv AS (
    INSERT INTO vault.sealed_values (log_id, event, name, blob)
    SELECT p_log, g.fpos + (u.k - g.off) - 1, v.name, v.blob
    FROM unnest(p_v_ord, p_v_name, p_v_blob) AS v(k, name, blob) JOIN unnest(p_ord) WITH ORDINALITY AS u(o, k) ON u.k = v.k
    JOIN g ON g.o = u.o WHERE g.st = 0 RETURNING 1), rq AS (
    INSERT INTO ledger.requests (log_id, tenant, route, key_hash, fingerprint, position)
    SELECT p_log, r.tenant, r.route, r.key_hash, r.fingerprint, g.fpos FROM r JOIN g ON g.o = r.o WHERE g.st = 0 RETURNING 1), nm AS (
    INSERT INTO vault.names (log_id, tenant, kind, hash, position)
    SELECT p_log, k.tenant, k.kind, k.hash, g.fpos FROM unnest(p_k_ord, p_k_tenant, p_k_kind, p_k_hash) AS k(o, tenant, kind, hash)
    JOIN g ON g.o = k.o WHERE g.st = 0 RETURNING 1), hd AS (
    UPDATE ledger.logs l SET position = v_pos + a.n, last_at = v_at
    FROM (SELECT count(*) AS n FROM ins) a WHERE l.log_id = p_log AND a.n > 0 RETURNING 1)
  SELECT g.o, g.st, CASE g.st WHEN 0 THEN g.fpos WHEN 1 THEN g.dup WHEN 4 THEN g.held END, CASE g.st WHEN 0 THEN g.e + g.n ELSE g.cur END, v_at
  FROM g, (SELECT count(*) FROM ss) a, (SELECT count(*) FROM hd) b ORDER BY g.o;
END $$;
REVOKE ALL ON FUNCTION ledger.append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.append TO ledger_writer;
RESET ROLE;
SELECT set_config('ledger.maintenance', '', true);
