-- An award may have several documents: its own and one for each correction. `position` is that of the event that a
-- document follows from; so far each award has one, that of its first event.

SELECT set_config('ledger.maintenance', 'on', true);
SET ROLE ledger_owner;
ALTER TABLE vault.documents ADD COLUMN position bigint;
UPDATE vault.documents d SET position = s.first_position
  FROM ledger.streams s WHERE s.log_id = 0 AND s.stream_id = 'award/' || d.award_id;
ALTER TABLE vault.documents ALTER COLUMN position SET NOT NULL;
DROP INDEX vault.documents_award;
CREATE INDEX documents_award ON vault.documents (award_id);
CREATE UNIQUE INDEX documents_position ON vault.documents (position);
RESET ROLE;
SELECT set_config('ledger.maintenance', '', true);
