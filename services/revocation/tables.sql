-- Status lists as they follow from the log, the signed ones too; dropped and rebuilt at will.

CREATE TABLE IF NOT EXISTS revocation.positions (name text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE IF NOT EXISTS revocation.issuers (        -- who signs an institution's lists; no key between two
  tenant text COLLATE "C" PRIMARY KEY, did text NOT NULL, key_id text COLLATE "C", key_since timestamptz);
CREATE TABLE IF NOT EXISTS revocation.lists (          -- touched: the last event that changed what the signed list says
  list_id text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL, purpose text NOT NULL, length int NOT NULL,
  touched bigint NOT NULL);
CREATE INDEX IF NOT EXISTS lists_tenant ON revocation.lists (tenant);
CREATE INDEX IF NOT EXISTS lists_touched ON revocation.lists (touched);
CREATE TABLE IF NOT EXISTS revocation.flips (          -- every change of a bit: the bits at any position are their fold
  list_id text COLLATE "C" NOT NULL, position bigint NOT NULL, place int NOT NULL, value boolean NOT NULL,
  PRIMARY KEY (list_id, position, place));
CREATE TABLE IF NOT EXISTS revocation.list_versions (  -- the bits as of `position`, in force from valid_from on; published:
  list_id text COLLATE "C" NOT NULL, position bigint NOT NULL, published bigint NOT NULL,     -- the event that says so;
  valid_from timestamptz NOT NULL, digest text NOT NULL, credential bytea, PRIMARY KEY (list_id, position));
CREATE INDEX IF NOT EXISTS list_versions_time ON revocation.list_versions (list_id, valid_from);
