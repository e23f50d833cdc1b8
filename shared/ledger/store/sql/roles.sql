-- Roles belong to the whole server, so each is made only where it is missing.
-- ledger_owner owns the tables and never logs in; ledger_vault opens and erases what is sealed and is issuance's alone.

DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['ledger_owner', 'ledger_writer', 'ledger_reader', 'ledger_vault'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN EXECUTE format('CREATE ROLE %I NOLOGIN', r); END IF;
  END LOOP;
  FOREACH r IN ARRAY ARRAY['issuance', 'revocation', 'registry'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN EXECUTE format('CREATE ROLE %I LOGIN', r); END IF;
    EXECUTE format('GRANT ledger_writer TO %I', r);
  END LOOP;
  GRANT ledger_vault TO issuance;
END $$;
