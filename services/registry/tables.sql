-- What the registry shows, made from public forms of events alone; dropped and rebuilt from the log at will.
-- Documents hold their JSON as text, members sorted: the bus and the store then leave the same bytes.

CREATE TABLE IF NOT EXISTS registry.positions (name text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE IF NOT EXISTS registry.institutions (     -- the issuer profile as it reads now; id and slug never change
  institution_id text COLLATE "C" PRIMARY KEY, slug text COLLATE "C" NOT NULL UNIQUE, did text COLLATE "C" NOT NULL UNIQUE,
  name text NOT NULL, plain_name text COLLATE "C" NOT NULL, url text NOT NULL, email text, description text, country text,
  status_profile text NOT NULL, demo boolean NOT NULL, active boolean NOT NULL, position bigint NOT NULL,
  recorded_at timestamptz NOT NULL, version bigint NOT NULL);     -- version: of the institution's stream
CREATE INDEX IF NOT EXISTS institutions_plain_name ON registry.institutions (plain_name);
CREATE INDEX IF NOT EXISTS institutions_position ON registry.institutions (position);
CREATE TABLE IF NOT EXISTS registry.institution_life ( -- every turn of an institution's life; none while it just goes on
  position bigint PRIMARY KEY, institution_id text COLLATE "C" NOT NULL, change text NOT NULL, recorded_at timestamptz NOT NULL,
  reason_code text, authority text, name text, previous_name text, did text COLLATE "C", previous_did text COLLATE "C",
  successor text COLLATE "C");
CREATE INDEX IF NOT EXISTS institution_life_institution ON registry.institution_life (institution_id, position);
CREATE INDEX IF NOT EXISTS institution_life_previous_did ON registry.institution_life (previous_did);
CREATE TABLE IF NOT EXISTS registry.issuer_keys (      -- every change of every key, with the position that proves when
  position bigint PRIMARY KEY, institution_id text COLLATE "C" NOT NULL, key_id text COLLATE "C" NOT NULL,
  change text NOT NULL, algorithm text NOT NULL, public_key text NOT NULL, effective timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS issuer_keys_institution ON registry.issuer_keys (institution_id, position);
CREATE TABLE IF NOT EXISTS registry.achievements (     -- one row a version; only `withdrawn` ever changes
  achievement_id text COLLATE "C" NOT NULL, achievement_version int NOT NULL, institution_id text COLLATE "C" NOT NULL,
  position bigint NOT NULL, recorded_at timestamptz NOT NULL, name text NOT NULL, credential_type text, sector text,
  focus text, searched text NOT NULL, document text NOT NULL, details text NOT NULL, image_sha256 text,
  image_media_type text, withdrawn text, withdrawn_position bigint, PRIMARY KEY (achievement_id, achievement_version));
CREATE INDEX IF NOT EXISTS achievements_position ON registry.achievements (position);
CREATE INDEX IF NOT EXISTS achievements_institution ON registry.achievements (institution_id, position);
CREATE TABLE IF NOT EXISTS registry.awards (           -- public facts of an award, its newest dates and its standing
  award_id text COLLATE "C" PRIMARY KEY, position bigint NOT NULL, institution_id text COLLATE "C" NOT NULL,
  achievement_id text COLLATE "C" NOT NULL, achievement_version int NOT NULL, issued timestamptz NOT NULL,
  awarded_date timestamptz NOT NULL, valid_from timestamptz NOT NULL, valid_until timestamptz, keys text[] NOT NULL,
  recorded_at timestamptz NOT NULL, leaf bytea NOT NULL, standing text NOT NULL, standing_since timestamptz NOT NULL,
  standing_position bigint NOT NULL);
CREATE INDEX IF NOT EXISTS awards_position ON registry.awards (position);
CREATE TABLE IF NOT EXISTS registry.award_history (    -- everything that happened to an award
  award_id text COLLATE "C" NOT NULL, position bigint NOT NULL, topic text NOT NULL, effective timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL, reason_code text, authority text, leaf bytea NOT NULL, PRIMARY KEY (award_id, position));
CREATE INDEX IF NOT EXISTS award_history_corrections ON registry.award_history (position) WHERE topic = 'award.corrected';
CREATE TABLE IF NOT EXISTS registry.renewals (         -- of awards that renew another one, or should be renewed by a time
  award_id text COLLATE "C" PRIMARY KEY, renews text COLLATE "C", renew_by timestamptz);
CREATE INDEX IF NOT EXISTS renewals_renews ON registry.renewals (renews);
CREATE TABLE IF NOT EXISTS registry.publications (     -- what learners said about their awards' pages: hidden, unlisted or public
  award_id text COLLATE "C" PRIMARY KEY, visibility text NOT NULL, position bigint NOT NULL);
CREATE TABLE IF NOT EXISTS registry.tenant_events (    -- which events are an institution's own: it may read those
  institution_id text COLLATE "C" NOT NULL, position bigint NOT NULL, PRIMARY KEY (institution_id, position));
