"""Names that may be taken once, and the append function that takes them."""

from ledger.migrate import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for name in ("names", "append"):
        run_sql(name)


def downgrade() -> None:
    raise RuntimeError("a ledger's history is not taken down; restore a backup instead")
