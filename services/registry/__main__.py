"""`python -m registry`: the service alone, configured by the environment."""

import sys

from ledger.settings import Settings, SettingsError
from ledger.web import serve
from registry.app import app


def main() -> None:
    """Serve until stopped; a wrong setting is one sentence and exit code 78."""
    try:
        settings = Settings.from_environment("registry")
    except SettingsError as error:
        sys.stderr.write(f"registry: {error}\n")
        sys.exit(78)
    serve(app, settings)


if __name__ == "__main__":
    main()
