-- What issuance keeps to find its own events again; dropped and rebuilt from the log at will.

CREATE TABLE IF NOT EXISTS issuance.positions (name text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE IF NOT EXISTS issuance.institutions (
  tenant text COLLATE "C" PRIMARY KEY, slug text COLLATE "C" NOT NULL, position bigint NOT NULL);
CREATE TABLE IF NOT EXISTS issuance.achievements (
  achievement_id text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL, position bigint NOT NULL);
CREATE INDEX IF NOT EXISTS achievements_tenant ON issuance.achievements (tenant, position);
CREATE TABLE IF NOT EXISTS issuance.awards (
  award_id text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL, pseudonym text COLLATE "C" NOT NULL,
  achievement_id text COLLATE "C" NOT NULL, position bigint NOT NULL, recorded_at timestamptz NOT NULL,
  awarded timestamptz NOT NULL, standing text NOT NULL);
CREATE INDEX IF NOT EXISTS awards_learner ON issuance.awards (tenant, pseudonym, position);
CREATE INDEX IF NOT EXISTS awards_achievement ON issuance.awards (tenant, achievement_id, position);
CREATE INDEX IF NOT EXISTS awards_tenant ON issuance.awards (tenant, position);
CREATE INDEX IF NOT EXISTS awards_position ON issuance.awards (position);
CREATE TABLE IF NOT EXISTS issuance.corrections (      -- each has a document of its own
  position bigint PRIMARY KEY, award_id text COLLATE "C" NOT NULL, tenant text COLLATE "C" NOT NULL,
  pseudonym text COLLATE "C" NOT NULL, recorded_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS issuance.learner_updates (  -- whose identifiers the vault must have followed
  position bigint PRIMARY KEY, recorded_at timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS corrections_award ON issuance.corrections (award_id, position);
CREATE INDEX IF NOT EXISTS corrections_tenant ON issuance.corrections (tenant, position);
CREATE TABLE IF NOT EXISTS issuance.key_schedules (    -- whose signing keys rotate by themselves
  tenant text COLLATE "C" PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE IF NOT EXISTS issuance.reissues (         -- orders to issue anew what a key signed, until they are done
  key_id text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL, position bigint NOT NULL);
CREATE TABLE IF NOT EXISTS issuance.subject_events (   -- which events hold sealed values of a learner: what erasure destroys
  tenant text COLLATE "C" NOT NULL, pseudonym text COLLATE "C" NOT NULL, position bigint NOT NULL,
  PRIMARY KEY (tenant, pseudonym, position));
CREATE TABLE IF NOT EXISTS issuance.erasures (tenant text COLLATE "C" NOT NULL, pseudonym text COLLATE "C" NOT NULL,
  position bigint NOT NULL, PRIMARY KEY (tenant, pseudonym));
CREATE TABLE IF NOT EXISTS issuance.compromised_keys (key_id text COLLATE "C" PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE IF NOT EXISTS issuance.results (
  result_id text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL, pseudonym text COLLATE "C" NOT NULL,
  achievement_id text COLLATE "C" NOT NULL, assessed_at timestamptz NOT NULL, origin text COLLATE "C",
  withdrawn boolean NOT NULL DEFAULT false, position bigint NOT NULL);
CREATE INDEX IF NOT EXISTS results_tenant ON issuance.results (tenant, position);
CREATE INDEX IF NOT EXISTS results_learner ON issuance.results (tenant, pseudonym, position);
CREATE INDEX IF NOT EXISTS results_origin ON issuance.results (tenant, origin) WHERE origin IS NOT NULL;
CREATE TABLE IF NOT EXISTS issuance.mappings (
  mapping_id text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL, source text NOT NULL,
  withdrawn boolean NOT NULL DEFAULT false, position bigint NOT NULL);
CREATE INDEX IF NOT EXISTS mappings_tenant ON issuance.mappings (tenant, position);
CREATE TABLE IF NOT EXISTS issuance.jobs (job_id text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL,
  state text NOT NULL, dry_run boolean NOT NULL, checked boolean NOT NULL, position bigint NOT NULL,
  changed_at timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_tenant ON issuance.jobs (tenant, position);
CREATE INDEX IF NOT EXISTS jobs_active ON issuance.jobs (position) WHERE state IN ('checking', 'running');
-- Notices to learners. A row of `notices` never changes: whoever sends locks it; what becomes of it is in `notice_states`.
CREATE TABLE IF NOT EXISTS issuance.notices (
  notice_id text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL, pseudonym text COLLATE "C" NOT NULL,
  award_id text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, cause bigint NOT NULL,
  earliest timestamptz NOT NULL, copy_of text COLLATE "C", renew_by timestamptz);
CREATE INDEX IF NOT EXISTS notices_award ON issuance.notices (award_id);
CREATE INDEX IF NOT EXISTS notices_tenant ON issuance.notices (tenant, cause, notice_id);
CREATE INDEX IF NOT EXISTS notices_pseudonym ON issuance.notices (tenant, pseudonym);
CREATE TABLE IF NOT EXISTS issuance.notice_states (
  notice_id text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL, award_id text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL, not_before timestamptz NOT NULL, reason text, position bigint NOT NULL);
CREATE INDEX IF NOT EXISTS notice_states_due ON issuance.notice_states (not_before) WHERE state = 'due';
CREATE INDEX IF NOT EXISTS notice_states_award ON issuance.notice_states (award_id) WHERE state = 'due';
CREATE TABLE IF NOT EXISTS issuance.notice_settings (
  tenant text COLLATE "C" PRIMARY KEY, enabled boolean NOT NULL, not_before timestamptz);
CREATE TABLE IF NOT EXISTS issuance.bounces (          -- which events hold an address that takes no mail
  tenant text COLLATE "C" NOT NULL, pseudonym text COLLATE "C" NOT NULL, position bigint NOT NULL,
  PRIMARY KEY (tenant, pseudonym, position));
CREATE TABLE IF NOT EXISTS issuance.proofs (           -- which events hold an address that was proven
  tenant text COLLATE "C" NOT NULL, pseudonym text COLLATE "C" NOT NULL, position bigint NOT NULL,
  PRIMARY KEY (tenant, pseudonym, position));
CREATE TABLE IF NOT EXISTS issuance.persons (          -- records that a learner joined
  tenant text COLLATE "C" NOT NULL, pseudonym text COLLATE "C" NOT NULL, person text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, pseudonym));
CREATE INDEX IF NOT EXISTS persons_person ON issuance.persons (person);
