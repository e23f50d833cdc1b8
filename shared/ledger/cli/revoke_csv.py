"""`credledger revoke-csv`: a list of awards whose standing changes, as a job of the ledger."""

from pathlib import Path

from ledger.cli.api import PATIENT_SECONDS, Api
from ledger.cli.lists import carry_out, tell
from ledger.cli.options import AsJson, Key
from ledger.cli.place import Place


def revoke_csv(
    file: Path,
    /,
    *,
    reason_code: str | None = None,
    suspend: bool = False,
    columns: str = "",
    dry_run: bool = False,
    key: Key = None,
    json: AsJson = False,
) -> int:
    """Revoke, or suspend, every award in a list. Revoking is final. Run again, it changes nothing twice.

    The list is checked first and then carried out by the ledger, also when this command is stopped. Refused rows are
    written to `<file>.errors.csv` with the reason.

    Parameters
    ----------
    file: Path
        A CSV file (UTF-8) whose first line names the columns: award_id or external_id, reason_code, reason, authority,
        effective. Or NDJSON (`.ndjson`), each line such an object.
    reason_code: str
        Why, for rows that give no code of their own, such as issued_in_error.
    suspend: bool
        Suspend instead of revoking: that can be taken back.
    columns: str
        Which heading holds what, where they are others: award_id=Award
    dry_run: bool
        Only check the list, and say what would become of each row.
    """
    place = Place.here()
    given = {"columns": columns, "reason_code": reason_code}
    parameters = {"kind": "suspensions" if suspend else "revocations", **{n: v for n, v in given.items() if v}}
    with Api(place.address("issuance"), place.institution_key(key), retry_seconds=PATIENT_SECONDS) as issuance:
        return tell(carry_out(issuance, file, parameters, dry_run=dry_run), json=json)
