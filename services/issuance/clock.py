"""The clock of the shell."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment in UTC, to the millisecond: what documents show."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
