"""`credledger keys`: API keys (list, create, rotate, revoke), and the keys that seal the vault (status, rewrap,
new-epoch, destroy-epoch)."""

from ledger.cli.keys.api_keys import app, caller
from ledger.cli.keys.epochs import destroy_epoch, new_epoch, rewrap, status

for command in (status, rewrap, new_epoch, destroy_epoch):
    app.command(command)

__all__ = ["app", "caller"]
