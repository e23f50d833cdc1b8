-- Key-encryption keys have epochs (DESIGN §5): find what lies under an old one, count what was sealed anew.

SELECT set_config('ledger.maintenance', 'on', true);
SET ROLE ledger_owner;

CREATE INDEX data_keys_epoch ON vault.data_keys (epoch);
CREATE INDEX signing_keys_epoch ON vault.signing_keys (epoch);
CREATE TABLE vault.rewraps (              -- how many keys of a ring were re-wrapped from one epoch to another
  ring text COLLATE "C" NOT NULL, epoch int NOT NULL, from_epoch int NOT NULL, rewrapped bigint NOT NULL,
  PRIMARY KEY (ring, epoch, from_epoch));
GRANT SELECT, INSERT, UPDATE ON vault.rewraps TO ledger_vault;

RESET ROLE;
SELECT set_config('ledger.maintenance', '', true);
