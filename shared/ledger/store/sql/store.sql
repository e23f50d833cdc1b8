-- The event store: one append-only log a `log_id`, appended to by one function (DESIGN §4).
--
-- Rules kept here: positions are dense, gapless and in commit order; a command is appended whole or not at all, once;
-- each role appends to its own stream categories; nobody rewrites. Run once, by the owner of the database; the one
-- function that appends is in append.sql.

CREATE SCHEMA ledger AUTHORIZATION ledger_owner; CREATE SCHEMA vault AUTHORIZATION ledger_owner; SET ROLE ledger_owner;
CREATE TABLE ledger.logs (                -- one row a log; its row lock is the append lock; epoch shuts out older processes
  log_id smallint PRIMARY KEY, position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
  last_at timestamptz NOT NULL DEFAULT '-infinity', epoch bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
CREATE TABLE ledger.owners (category text COLLATE "C" PRIMARY KEY, writer name NOT NULL);   -- category = the part of a stream id before '/'
INSERT INTO ledger.owners SELECT c, w FROM (VALUES                                          -- DESIGN.md §4; writer = a role
  ('issuance', '{institution,access,achievement,learner,award,result,pathway,stack,endorsement,recognition,job}'::text[]),
  ('revocation', '{standing,list,lease}'), ('registry', '{ledger,witness,partner,endpoint}')) AS o(w, cs), unnest(cs) AS c;
CREATE TABLE ledger.events (
  log_id smallint NOT NULL, position bigint NOT NULL,            -- 1, 2, 3 … without a gap, in commit order
  stream_id text COLLATE "C" NOT NULL, version bigint NOT NULL CHECK (version >= 1),
  command_id uuid NOT NULL,                                      -- idempotency key; has no index of its own
  topic text COLLATE "C" NOT NULL, recorded_at timestamptz NOT NULL,   -- never earlier than at the position before
  leaf bytea NOT NULL CHECK (CASE get_byte(leaf, 0) WHEN 1 THEN octet_length(leaf) = 33 WHEN 2 THEN octet_length(leaf) <= 4097 ELSE false END),
  state bytea NOT NULL, PRIMARY KEY (log_id, position)) PARTITION BY RANGE (position);
CREATE TABLE ledger.streams (             -- optimistic concurrency, and the range of positions that prunes partitions
  log_id smallint NOT NULL, stream_id text COLLATE "C" NOT NULL, version bigint NOT NULL,
  first_position bigint NOT NULL, last_position bigint NOT NULL, PRIMARY KEY (log_id, stream_id)) WITH (fillfactor = 85);
CREATE TABLE ledger.requests (            -- which request made which event (its first position); no answer is kept
  log_id smallint NOT NULL, tenant text COLLATE "C" NOT NULL, route text COLLATE "C" NOT NULL, key_hash bytea NOT NULL,
  fingerprint bytea NOT NULL, position bigint NOT NULL, PRIMARY KEY (log_id, tenant, route, key_hash));
CREATE TABLE vault.sealed_values (        -- event = its position; erasure deletes here, so no trigger
  log_id smallint NOT NULL, event bigint NOT NULL, name text COLLATE "C" NOT NULL, blob bytea NOT NULL, PRIMARY KEY (log_id, event, name));
ALTER TABLE vault.sealed_values ALTER COLUMN blob SET STORAGE EXTERNAL;
CREATE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'ledger is append-only: % on % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER no_rewrite BEFORE UPDATE OR DELETE ON ledger.events FOR EACH ROW EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ledger.events FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER no_rewrite, ENABLE ALWAYS TRIGGER no_truncate;
CREATE FUNCTION ledger.make_partition(p_from bigint, p_to bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE n text := format('events_%s', p_from); BEGIN
  PERFORM set_config('ledger.maintenance', 'on', true);
  EXECUTE format('CREATE TABLE ledger.%I PARTITION OF ledger.events FOR VALUES FROM (%s) TO (%s)
                  WITH (autovacuum_vacuum_insert_scale_factor = 0.05)', n, p_from, p_to);
  EXECUTE format('CREATE UNIQUE INDEX %I ON ledger.%I (log_id, stream_id, version)', n || '_stream', n);
  EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ledger.%I FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse()', n);
  EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER no_truncate, ENABLE ALWAYS TRIGGER no_rewrite,
                  ALTER COLUMN state SET STORAGE EXTERNAL', n);            -- ciphertext does not compress
  PERFORM set_config('ledger.maintenance', '', true);
END $$;
SELECT ledger.make_partition(1, 50000001);      -- further ones are made ahead by `ledger.migrate`
CREATE FUNCTION ledger.load(p_log smallint, p_stream text, p_after bigint DEFAULT 0) RETURNS SETOF ledger.events LANGUAGE sql STABLE AS $$
  SELECT e.* FROM ledger.events e WHERE e.log_id = p_log AND e.stream_id = p_stream AND e.version > p_after
    AND e.position BETWEEN (SELECT s.first_position FROM ledger.streams s WHERE s.log_id = p_log AND s.stream_id = p_stream)
                       AND (SELECT s.last_position  FROM ledger.streams s WHERE s.log_id = p_log AND s.stream_id = p_stream) ORDER BY e.version $$;
CREATE VIEW ledger.stored_events AS       -- the stock library's column names
  SELECT stream_id AS originator_id, version AS originator_version, topic, state, position AS notification_id FROM ledger.events WHERE log_id = 0;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC; GRANT USAGE ON SCHEMA ledger TO ledger_writer, ledger_reader;
GRANT EXECUTE ON FUNCTION ledger.load TO ledger_reader, ledger_writer;
GRANT SELECT ON ledger.events, ledger.streams, ledger.logs, ledger.stored_events TO ledger_reader, ledger_writer;
GRANT SELECT ON ledger.requests TO ledger_writer; GRANT USAGE ON SCHEMA vault TO ledger_vault; GRANT SELECT, DELETE ON vault.sealed_values TO ledger_vault;
RESET ROLE;
