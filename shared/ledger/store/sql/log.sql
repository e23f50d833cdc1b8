-- The first log, and one schema a service for its projections.

SET ROLE ledger_owner;
INSERT INTO ledger.logs (log_id) VALUES (0);
RESET ROLE;
CREATE SCHEMA issuance AUTHORIZATION issuance;
CREATE SCHEMA registry AUTHORIZATION registry;
CREATE SCHEMA revocation AUTHORIZATION revocation;
GRANT SELECT ON public.alembic_version TO ledger_reader, ledger_writer;
