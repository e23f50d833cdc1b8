"""Achievements: what an institution recognises, in versions that never change. ● Pure.

`PublishAchievement` is the wish, `published` makes the event of it, `achievement_from_ob3` reads an Open Badges 3.0
document as such a wish. An award pins one version.
"""

from issuance.achievements.document import achievement_document, details_of, published
from issuance.achievements.from_open_badges import achievement_from_ob3, is_open_badges
from issuance.achievements.model import PublishAchievement
from issuance.achievements.rules import check

__all__ = [
    "PublishAchievement",
    "achievement_document",
    "achievement_from_ob3",
    "check",
    "details_of",
    "is_open_badges",
    "published",
]
