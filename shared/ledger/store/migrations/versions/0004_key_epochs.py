"""Epochs of the key-encryption keys: what lies under which, and how many keys were sealed anew."""

from ledger.migrate import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql("epochs")


def downgrade() -> None:
    raise RuntimeError("a ledger's history is not taken down; restore a backup instead")
