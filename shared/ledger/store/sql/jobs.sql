-- Bulk jobs: the rows that institutions sent, sealed under a data key of the job (vault.data_keys, named by the job),
-- and what became of each. What a row made is an event; a row is emptied once it is done, and goes when its learner is
-- erased or the job's retention ends.

SELECT set_config('ledger.maintenance', 'on', true);
SET ROLE ledger_owner;
CREATE TABLE vault.jobs (                 -- holder: the process that works on it, until its claim runs out
  job_id text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL, sent_at timestamptz NOT NULL DEFAULT now(),
  headings bytea, holder text, claimed_until timestamptz NOT NULL DEFAULT '-infinity');
CREATE TABLE vault.job_rows (             -- names: keyed hashes of the learner's identifiers, by which erasure finds it
  job_id text COLLATE "C" NOT NULL, number int NOT NULL, line int NOT NULL, repeats int, names bytea[] NOT NULL,
  sealed bytea, outlook text, outcome text, award_id text COLLATE "C", position bigint, fault text,
  PRIMARY KEY (job_id, number));
ALTER TABLE vault.job_rows ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX job_rows_unchecked ON vault.job_rows (job_id, number) WHERE outlook IS NULL;
CREATE INDEX job_rows_undone ON vault.job_rows (job_id, number) WHERE outcome IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.jobs, vault.job_rows TO ledger_vault;
RESET ROLE;
SELECT set_config('ledger.maintenance', '', true);
