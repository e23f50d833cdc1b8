-- The vault: what can be erased (DESIGN §5). The log beside it holds commitments only.
--
-- Issuance opens and erases; the registry reads documents, which it can open only for a visitor who brings the
-- credential's URL; revocation reads signing keys, to sign status lists. No trigger here: erasure deletes.

SET ROLE ledger_owner;

CREATE TABLE vault.learners (             -- who is behind a pseudonym: known only by a keyed hash of an identifier
  tenant text COLLATE "C" NOT NULL, identifier_hash bytea NOT NULL, pseudonym text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, identifier_hash));
CREATE INDEX learners_pseudonym ON vault.learners (tenant, pseudonym);

CREATE TABLE vault.data_keys (            -- one a learner and institution, sealed by the key-encryption key of `epoch`
  tenant text COLLATE "C" NOT NULL, pseudonym text COLLATE "C" NOT NULL, epoch int NOT NULL, sealed bytea NOT NULL,
  PRIMARY KEY (tenant, pseudonym));

CREATE TABLE vault.signing_keys (         -- institutions' private keys, sealed by the signing key-encryption key
  key_id text COLLATE "C" PRIMARY KEY, tenant text COLLATE "C" NOT NULL, algorithm text NOT NULL, epoch int NOT NULL,
  sealed bytea NOT NULL);

CREATE TABLE vault.documents (            -- lookup = SHA-256(capability); sealed under capability and share
  lookup bytea PRIMARY KEY, tenant text COLLATE "C" NOT NULL, pseudonym text COLLATE "C" NOT NULL,
  award_id text COLLATE "C" NOT NULL, mac bytea NOT NULL, share bytea NOT NULL, sealed bytea NOT NULL);
ALTER TABLE vault.documents ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX documents_award ON vault.documents (award_id);
CREATE INDEX documents_pseudonym ON vault.documents (tenant, pseudonym);

CREATE TABLE vault.images (               -- achievement images as uploaded, public
  sha256 text COLLATE "C" PRIMARY KEY, media_type text NOT NULL, content bytea NOT NULL);

GRANT SELECT, INSERT, UPDATE, DELETE ON vault.learners, vault.data_keys, vault.signing_keys, vault.documents TO ledger_vault;
GRANT SELECT, INSERT ON vault.images TO ledger_vault;
GRANT USAGE ON SCHEMA vault TO registry, revocation;
GRANT SELECT ON vault.documents, vault.images TO registry;
GRANT SELECT ON vault.signing_keys TO revocation;

RESET ROLE;
