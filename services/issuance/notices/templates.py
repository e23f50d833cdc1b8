"""Which text a notice has, and what is filled in. ● Pure.

A template knows placeholders in braces, `{achievement}`, and nothing else: no conditions, no loops, no code. What an
institution publishes is checked first: an unknown placeholder or a lone brace is refused with its place. The text must
hold `{link}`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

import babel
import msgspec
from babel.dates import format_date

from issuance.awards import Language
from issuance.notices.texts import BUILT_IN, WORDS, Template, Words
from ledger import errors
from ledger.credentials.lexical import LINE_PATTERN, TEXT_PATTERN
from ledger.errors import FieldError

Subject = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=LINE_PATTERN)]
Body = Annotated[str, msgspec.Meta(min_length=1, max_length=5000, pattern=TEXT_PATTERN)]
Kind = Literal["awarded", "corrected", "renewal", "suspended", "reinstated", "revoked"]
PLACEHOLDERS: Final[Mapping[str, str]] = {
    "greeting": "“Hello Ada Example,” in the language, also where the name is not known",
    "learner": "the learner's name",
    "achievement": "the achievement's name",
    "institution": "the institution's name",
    "date": "the day on which it was awarded, corrected, suspended, reinstated or revoked",
    "renew_by": "the day by which it is to be renewed; in notices of the kind renewal",
    "link": "the address of the learner's own page; needed in the text",
    "link_until": "the day until which that address works",
    "contact": "the institution's e-mail address, or its website where it has none",
}
NO_DAY: Final = "—"
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")


class SetTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An own text: a subject of one line and a plain text, both with placeholders in braces."""

    subject: Subject
    text: Body


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A text to look at, filled in with an example; without `subject` and `text`, the one that serves now."""

    kind: Kind = "awarded"
    language: Language = "en"
    subject: Subject | None = None
    text: Body | None = None


class Filling(msgspec.Struct, frozen=True, kw_only=True):
    """What a notice says. Days are aware; they are written in UTC."""

    learner: str | None
    achievement: str
    institution: str
    contact: str
    date: datetime
    link: str
    link_until: datetime
    renew_by: datetime | None = None


def check(template: Template) -> None:
    """Raises Malformed with a pointer to each placeholder that does not exist, each lone brace, a missing link."""
    bad = [
        FieldError(pointer, sentence)
        for pointer, text in (("/subject", template.subject), ("/text", template.text))
        for sentence in _faults(text)
    ]
    if "{link}" not in template.text:
        bad.append(FieldError("/text", "{link} is needed: it is the learner's way to the credential"))
    if "{link}" in template.subject:
        bad.append(FieldError("/subject", "{link} belongs into the text: subjects are shown and logged on the way"))
    if bad:
        raise errors.Malformed("The text has placeholders that cannot be filled in.", errors=bad)


def check_language(language: str, pointer: str) -> None:
    """Raises Malformed where no dates can be written in a language."""
    try:
        babel.Locale.parse(language, sep="-")
    except (ValueError, babel.UnknownLocaleError) as error:
        where = [FieldError(pointer, "this language is not known here")]
        raise errors.Malformed("The language is not known here.", errors=where) from error


def chosen(
    kind: str, wanted: str | None, default: str, own: Mapping[tuple[str, str], Template]
) -> tuple[str, Template]:
    """The language of a notice and its text: the learner's language, else the institution's, else English; in each the
    institution's own text before the built-in one."""
    for language in _languages(wanted, default, "en"):
        if (found := own.get((kind, language))) is not None:
            return language, found
        if language in BUILT_IN:
            return language, BUILT_IN[language][kind]
    raise LookupError("English is built in")


def words_for(language: str) -> Words:
    """What a language says around a notice; English where it is not built in."""
    return WORDS.get(language.partition("-")[0], WORDS["en"])


def filled(text: str, filling: Filling, language: str) -> str:
    """A text with everything filled in. Line breaks in what is filled in become spaces: a name is no paragraph."""
    values = _values(filling, language)
    return _PLACEHOLDER.sub(lambda match: " ".join(values[match.group(1)].split()), text)


def day(moment: datetime, language: str) -> str:
    """A day as the language writes it, in UTC."""
    return str(format_date(moment.date(), format="long", locale=babel.Locale.parse(language, sep="-")))


def _values(filling: Filling, language: str) -> dict[str, str]:
    words, learner = words_for(language), " ".join((filling.learner or "").split())
    greeting = words.greeting.replace("{learner}", learner) if learner else words.greeting_unnamed
    return {
        "greeting": greeting,
        "learner": learner or words.learner_unnamed,
        "achievement": filling.achievement,
        "institution": filling.institution,
        "date": day(filling.date, language),
        "renew_by": day(filling.renew_by, language) if filling.renew_by else NO_DAY,
        "link": filling.link,
        "link_until": day(filling.link_until, language),
        "contact": filling.contact,
    }


def _languages(*named: str | None) -> Sequence[str]:
    found = [one for name in named if name for one in (name, name.partition("-")[0])]
    return list(dict.fromkeys(found))


def _faults(text: str) -> list[str]:
    unknown = sorted({name for name in _PLACEHOLDER.findall(text) if name not in PLACEHOLDERS})
    said = [f"there is no placeholder {{{name}}}; there are {', '.join(PLACEHOLDERS)}" for name in unknown]
    if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
        said.append("a brace stands alone: placeholders are lower-case words in braces, such as {achievement}")
    return said
