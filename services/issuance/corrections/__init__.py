"""Corrections of awards: the wish (`wishes`) and the rule (`rules`). Pure."""

from issuance.corrections.rules import Material, correct, document_of
from issuance.corrections.wishes import Changes, CorrectAward, LearnerChanges, ReissueAward, check, named_in

__all__ = [
    "Changes",
    "CorrectAward",
    "LearnerChanges",
    "Material",
    "ReissueAward",
    "check",
    "correct",
    "document_of",
    "named_in",
]
