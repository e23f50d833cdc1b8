-- A belt, not a lock: schema changes need `ledger.maintenance` for their transaction. Run last, as superuser.

CREATE FUNCTION public.ledger_ddl_guard() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
  IF coalesce(current_setting('ledger.maintenance', true), '') <> 'on' THEN RAISE EXCEPTION 'ledger database: % refused', tg_tag; END IF; END $$;
CREATE EVENT TRIGGER ledger_guard ON ddl_command_start WHEN TAG IN ('ALTER TABLE', 'DROP TABLE', 'ALTER SCHEMA', 'DROP SCHEMA', 'CREATE TRIGGER',
  'DROP TRIGGER', 'CREATE FUNCTION', 'ALTER FUNCTION', 'DROP FUNCTION', 'ALTER ROUTINE', 'DROP ROUTINE', 'DROP INDEX', 'CREATE RULE', 'DROP OWNED')
  EXECUTE FUNCTION public.ledger_ddl_guard();
