-- Names that may be taken once within a tenant, such as an award's external id: claimed by the statement that appends
-- the event, so no race gives one name to two events. Keyed hashes, since such names may be personal; erasure deletes.

SELECT set_config('ledger.maintenance', 'on', true);
SET ROLE ledger_owner;
CREATE TABLE vault.names (                -- position: of the first event of the command that took the name
  log_id smallint NOT NULL, tenant text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, hash bytea NOT NULL,
  position bigint NOT NULL, PRIMARY KEY (log_id, tenant, kind, hash));
CREATE INDEX names_position ON vault.names (position);
GRANT SELECT, DELETE ON vault.names TO ledger_vault;
RESET ROLE;
SELECT set_config('ledger.maintenance', '', true);
