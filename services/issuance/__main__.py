"""`python -m issuance`: the service alone, configured by the environment."""

import sys

from issuance.app import app
from ledger.settings import Settings, SettingsError
from ledger.web import serve


def main() -> None:
    """Serve until stopped; a wrong setting is one sentence and exit code 78."""
    try:
        settings = Settings.from_environment("issuance")
    except SettingsError as error:
        sys.stderr.write(f"issuance: {error}\n")
        sys.exit(78)
    serve(app, settings)


if __name__ == "__main__":
    main()
