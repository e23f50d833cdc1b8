"""What the exports look like, each from its public documentation, so that a mapping need not say it.

moodle_csv
    `activity_completion`: Reports › Activity completion, as CSV (UTF-8) or for Excel (UTF-16LE, tabs). From Moodle's
    `report/progress/index.php`: the first column is the full name under an empty heading, then the identity fields
    that the site shows ("Email address", "ID number"), then for each activity its name and a column of completion
    times ("%Y-%m-%d %H:%M:%S", in the time zone of whoever exported) whose heading is empty or the day it is due.
    The states are those of `lang/en/completion.php`. We call the columns "Full name" and "<activity> (date)".
    `grades`: Grades › Export › Plain text file. From `grade/export/txt/grade_export_txt.php`: the profile fields
    ("First name", "Last name" or "Surname", "ID number", "Email address"), the items ("Quiz: Exam (Real)", "Course
    total (Real)"), and "Last downloaded from this course". A grade that is missing is "-".
canvas_csv
    `gradebook`: Gradebook › Export. From Canvas' `lib/gradebook_exporter.rb` and the guide "How do I export grades in
    the Gradebook?": "Student", "ID", "SIS User ID", "SIS Login ID", "Section", then "Title (id)" for each assignment; a
    row of "Manual Posting" marks may come first, then the row "Points Possible", then the students and last the test
    student. "EX" is excused, "N/A" not assigned. We call the points "<column> (points possible)".
    `outcomes`: Learning Mastery › Export report. From `lib/api/v1/outcome_results.rb`: "Student name", "Student ID",
    and for each outcome "<path> result" and "<path> mastery points".
oneroster_csv
    OneRoster CSV Binding 1.2.1, results.csv alone or the zip of the set: "sourcedId", "status", "lineItemSourcedId",
    "studentSourcedId", "scoreStatus", "score", "scoreDate", "textScore". Columns of users.csv and lineItems.csv are
    joined as "user.email", "user.identifier", "lineItem.title", "lineItem.resultValueMax".
xapi
    Statements as records, from xAPI 1.0.3 Part 2 §2.4: "actor.mbox" (without mailto:), "actor.account.name",
    "actor.account.homePage", "actor.openid", "actor.name", "verb", "activity", "result.score.raw", "….max", "….scaled",
    "result.success", "result.completion", "timestamp".
"""

from typing import Final

import msgspec

from issuance.mapping.model import LearnerColumns

FULL_NAME: Final = "Full name"
MOODLE_TIME: Final = "%Y-%m-%d %H:%M:%S"


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """Where an export has the learner and the dates. Of several columns for one thing the first that the file has
    counts, for every row: so no row falls back to another system's numbers. `date` may hold `{item}`, the item."""

    email: tuple[str, ...] = ()
    student_id: tuple[str, ...] = ()
    name: tuple[tuple[str, ...], ...] = ()
    date: str | None = None
    date_format: str = "iso"


PRESETS: Final[dict[str, Preset]] = {
    "activity_completion": Preset(
        email=("Email address", "Email"), student_id=("ID number",), name=((FULL_NAME,),),
        date="{item} (date)", date_format=MOODLE_TIME,
    ),
    "grades": Preset(
        email=("Email address", "Email"), student_id=("ID number",),
        name=(("First name", "Last name"), ("First name", "Surname")),
    ),
    "gradebook": Preset(
        student_id=("SIS User ID", "SIS Login ID"), name=(("FirstName", "LastName"), ("Student",)),
    ),
    "outcomes": Preset(student_id=("Student ID",), name=(("Student name",),)),
    "results": Preset(
        email=("user.email",), student_id=("user.identifier", "studentSourcedId"),
        name=(("user.givenName", "user.familyName"),), date="scoreDate",
    ),
    "statements": Preset(
        email=("actor.mbox",), student_id=("actor.account.name", "actor.openid"), name=(("actor.name",),),
        date="timestamp",
    ),
}  # fmt: skip


def filled(columns: LearnerColumns, preset: Preset) -> Preset:
    """The preset with what a mapping says otherwise. A mapping that names an identifier drops the preset's others:
    so nobody is taken for somebody else by a column that was not meant."""
    if columns.email or columns.student_id or columns.did:
        preset = msgspec.structs.replace(
            preset,
            email=(columns.email,) if columns.email else (),
            student_id=(columns.student_id,) if columns.student_id else (),
        )
    if columns.name is not None:
        preset = msgspec.structs.replace(preset, name=(tuple(columns.name),) if columns.name else ())
    return preset
