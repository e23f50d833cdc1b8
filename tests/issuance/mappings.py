"""Mappings and exports for tests: invented people on `.example`, laid out as each system exports them."""

import io
import zipfile
from collections.abc import Mapping as Cells
from typing import Any

import msgspec

from issuance.awards import AwardLearner
from issuance.mapping import Mapping, RowAction, RowFault, apply, read
from issuance.mapping.model import Definition
from issuance.results import RecordResult

ACHIEVEMENT = "ach_" + "a" * 26
OTHER = "ach_" + "b" * 26
DESCRIPTION = "http://localhost:8000/achievements/ach_a/versions/1#exam"


def mapping(source: str, *rules: dict[str, Any], **more: Any) -> Mapping:
    """A mapping of a source; a rule is about ACHIEVEMENT unless it says otherwise."""
    told = [{"achievement_id": ACHIEVEMENT, **rule} for rule in rules]
    definition = msgspec.convert({"source": source, "rules": told, **more}, Definition)
    return Mapping(id="map_" + "m" * 26, version=1, name="A mapping", definition=definition)


def outcomes(applied: Mapping, content: str | bytes) -> list[Any]:
    """What each record of an export leads to, in short: `("result", who, value, status, when)` …, or the fault's
    pointers."""
    raw = content.encode() if isinstance(content, str) else content
    return [short(apply(applied, record.values)) for record in read(applied, raw)]


def short(actions: list[RowAction] | RowFault) -> Any:
    if isinstance(actions, RowFault):
        return {error.pointer: error.detail for error in actions.errors}
    return [_short(data) for _, data in actions]


def _short(data: RecordResult | AwardLearner) -> tuple[Any, ...]:
    who = data.learner.email or data.learner.student_id or data.learner.did
    if isinstance(data, RecordResult):
        when = data.assessed_at.isoformat() if data.assessed_at else None
        return ("result", who, data.value, data.status, when)
    when = data.awarded_date.isoformat() if data.awarded_date else None
    return ("award", who, data.results[0].value, when)


def archive(**files: str) -> bytes:
    """A zip of CSV files, named without their ending."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(f"{name}.csv", content)
    return packed.getvalue()


def statement(named: str = "passed", /, **changed: Any) -> dict[str, Any]:
    """An xAPI statement of Ada about the exam, with members changed; one that is `...` is left out."""
    said = {
        "id": "8f87ccde-bb56-4c2e-ab83-44982ef22df0",
        "actor": {"mbox": "mailto:ada@learner.example", "name": "Ada Example"},
        "verb": {"id": f"http://adlnet.gov/expapi/verbs/{named}", "display": {"en": named}},
        "object": {"id": "https://lms.nova.example/exam", "definition": {"name": {"en": "Exam"}}},
        "result": {"score": {"raw": 87.5, "min": 0, "max": 100}},
        "timestamp": "2026-02-28T10:00:00+01:00",
        **changed,
    }
    return {name: value for name, value in said.items() if value is not ...}


def cells(**named: str) -> Cells[str, str]:
    """A record."""
    return named


COMPLETION = """\
,"Email address","ID number","Final exam","","Reading list","2026-02-01 00:00:00"
"Ada Example","ada@learner.example","m-1","Completed (achieved pass grade)","2026-02-28 09:30:00",\
"Completed","2026-01-10 08:00:00"
"Bo O'Example","bo@learner.example","m-2","Completed (did not achieve pass grade)","2026-02-28 09:45:00",\
"Not completed",""
"Cy Example","cy@learner.example","m-3","Not completed","",\
"Completed (set by Tutor One)","2026-01-11 08:00:00"
"""
GRADES = """\
"First name","Last name","ID number",Institution,Department,"Email address","Quiz: Final exam (Real)",\
"Feedback: Final exam","Course total (Real)","Last downloaded from this course"
Ada,Example,m-1,,,ada@learner.example,87.50,"Well done,
keep going",87.50,1772359200
Bo,Example,m-2,,,bo@learner.example,41.00,,41.00,1772359200
Cy,Example,m-3,,,cy@learner.example,-,,-,1772359200
"""
GRADEBOOK = """\
Student,ID,SIS User ID,SIS Login ID,Section,Final exam (4711),Essay (4712),Current Score
,,,,,Manual Posting,,
    Points Possible,,,,,20.00,10.00,(read only)
"Example, Ada",101,m-1,ada@learner.example,Group A,17.50,EX,87.5
"Example, Bo",102,m-2,bo@learner.example,Group A,8.00,N/A,40
"Example, Cy",103,m-3,cy@learner.example,Group A,,9.00,90
"Student, Test",104,,f1d2,Group A,20.00,10.00,100
"""
OUTCOMES = """\
Student name,Student ID,Data > Reads charts result,Data > Reads charts mastery points
Ada Example,101,4.0,3.0
Bo Example,102,2.0,3.0
Cy Example,103,,3.0
"""
RESULTS = """\
sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,scoreStatus,score,scoreDate,comment,textScore
r-1,active,2026-02-28T10:00:00Z,li-exam,u-1,fully graded,17.5,2026-02-28,,
r-2,active,2026-02-28T10:00:00Z,li-exam,u-2,fully graded,8,2026-02-28,,
r-3,active,2026-02-28T10:00:00Z,li-exam,u-3,not submitted,,2026-02-28,,
r-4,active,2026-02-28T10:00:00Z,li-other,u-1,fully graded,5,2026-02-28,,
r-5,tobedeleted,2026-02-28T10:00:00Z,li-exam,u-4,fully graded,20,2026-02-28,,
"""
USERS = """\
sourcedId,status,dateLastModified,enabledUser,username,givenName,familyName,identifier,email
u-1,active,2026-02-01T00:00:00Z,true,ada,Ada,Example,m-1,ada@learner.example
u-2,active,2026-02-01T00:00:00Z,true,bo,Bo,Example,m-2,bo@learner.example
u-3,active,2026-02-01T00:00:00Z,true,cy,Cy,Example,m-3,cy@learner.example
"""
LINE_ITEMS = """\
sourcedId,status,dateLastModified,title,resultValueMin,resultValueMax
li-exam,active,2026-02-01T00:00:00Z,Final exam,0,20
"""
