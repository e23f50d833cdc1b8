"""The built-in texts of notices: by language and kind, a subject and a text with placeholders in braces. ● Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec


class Template(msgspec.Struct, frozen=True):
    """A subject and a text, with placeholders in braces."""

    subject: str
    text: str


class Words(msgspec.Struct, frozen=True):
    """What a language says around every notice."""

    greeting: str  # where the name is known
    greeting_unnamed: str
    learner_unnamed: str
    button: str
    footer: str


KINDS: Final = ("awarded", "corrected", "renewal", "suspended", "reinstated", "revoked")

WORDS: Final[Mapping[str, Words]] = {
    "en": Words(
        "Hello {learner},",
        "Hello,",
        "learner",
        "Open your credential",
        "You get this message because {institution} recorded something about your credential. "
        "It was sent automatically. Contact: {contact}",
    ),
    "de": Words(
        "Guten Tag {learner},",
        "Guten Tag,",
        "Lernende",
        "Nachweis öffnen",
        "Sie erhalten diese Nachricht, weil {institution} etwas zu Ihrem Nachweis eingetragen hat. "
        "Sie wurde automatisch versandt. Kontakt: {contact}",
    ),
    "fr": Words(
        "Bonjour {learner},",
        "Bonjour,",
        "apprenant",
        "Ouvrir votre attestation",
        "Vous recevez ce message parce que {institution} a enregistré une information sur votre attestation. "
        "Il a été envoyé automatiquement. Contact : {contact}",
    ),
    "es": Words(
        "Hola, {learner}:",
        "Hola:",
        "estudiante",
        "Abrir su credencial",
        "Recibe este mensaje porque {institution} ha registrado algo sobre su credencial. "
        "Se ha enviado automáticamente. Contacto: {contact}",
    ),
}

_OPEN: Final = {
    "en": "{link}\n\nThe link is yours alone, so please do not pass it on. It works until {link_until}.",
    "de": "{link}\n\nDer Link ist nur für Sie bestimmt; bitte geben Sie ihn nicht weiter. Er gilt bis {link_until}.",
    "fr": "{link}\n\nCe lien est personnel : merci de ne pas le transmettre. Il est valable jusqu’au {link_until}.",
    "es": "{link}\n\nEl enlace es personal: no lo comparta, por favor. Es válido hasta el {link_until}.",
}


def _english() -> dict[str, Template]:
    end = _OPEN["en"]
    return {
        "awarded": Template(
            "Your credential “{achievement}” from {institution}",
            "{greeting}\n\nCongratulations! On {date}, {institution} awarded you “{achievement}”.\n\n"
            "Open your credential, keep it, and decide who may see it:\n\n" + end,
        ),
        "corrected": Template(
            "Your credential “{achievement}” was corrected",
            "{greeting}\n\n{institution} has corrected your credential “{achievement}” and issued a new copy. "
            "Copies you made before are no longer valid, so please use the new one:\n\n" + end,
        ),
        "renewal": Template(
            "“{achievement}” is to be renewed by {renew_by}",
            "{greeting}\n\nYour credential “{achievement}” from {institution} is to be renewed by {renew_by}. "
            "{contact} will tell you how.\n\nYour credential as it is now:\n\n" + end,
        ),
        "suspended": Template(
            "Your credential “{achievement}” is suspended",
            "{greeting}\n\n{institution} has suspended your credential “{achievement}” since {date}. Until it is "
            "reinstated, whoever checks it is told so. If you have questions, please write to {contact}.\n\n"
            "Your credential and its state:\n\n" + end,
        ),
        "reinstated": Template(
            "Your credential “{achievement}” is valid again",
            "{greeting}\n\nGood news: {institution} has reinstated your credential “{achievement}”. Since {date} it "
            "is valid again.\n\n" + end,
        ),
        "revoked": Template(
            "Your credential “{achievement}” was withdrawn",
            "{greeting}\n\n{institution} has withdrawn your credential “{achievement}” with effect from {date}. "
            "It is no longer valid. If you have questions, please write to {contact}.\n\n"
            "What is recorded about it:\n\n" + end,
        ),
    }


def _german() -> dict[str, Template]:
    end = _OPEN["de"]
    return {
        "awarded": Template(
            "Ihr Nachweis „{achievement}“ von {institution}",
            "{greeting}\n\nherzlichen Glückwunsch! {institution} hat Ihnen am {date} „{achievement}“ verliehen.\n\n"
            "Hier öffnen Sie Ihren Nachweis, speichern ihn und bestimmen, wer ihn sehen darf:\n\n" + end,
        ),
        "corrected": Template(
            "Ihr Nachweis „{achievement}“ wurde berichtigt",
            "{greeting}\n\n{institution} hat Ihren Nachweis „{achievement}“ berichtigt und neu ausgestellt. "
            "Frühere Kopien sind nicht mehr gültig; bitte verwenden Sie die neue:\n\n" + end,
        ),
        "renewal": Template(
            "„{achievement}“ ist bis {renew_by} zu erneuern",
            "{greeting}\n\nIhr Nachweis „{achievement}“ von {institution} ist bis {renew_by} zu erneuern. "
            "Wie das geht, erfahren Sie bei {contact}.\n\nIhr Nachweis, wie er jetzt ist:\n\n" + end,
        ),
        "suspended": Template(
            "Ihr Nachweis „{achievement}“ ist ausgesetzt",
            "{greeting}\n\n{institution} hat Ihren Nachweis „{achievement}“ seit {date} ausgesetzt. Bis das "
            "aufgehoben wird, erfährt es, wer ihn prüft. Bei Fragen schreiben Sie bitte an {contact}.\n\n"
            "Ihr Nachweis und sein Stand:\n\n" + end,
        ),
        "reinstated": Template(
            "Ihr Nachweis „{achievement}“ gilt wieder",
            "{greeting}\n\ngute Nachricht: {institution} hat die Aussetzung Ihres Nachweises „{achievement}“ "
            "aufgehoben. Seit {date} gilt er wieder.\n\n" + end,
        ),
        "revoked": Template(
            "Ihr Nachweis „{achievement}“ wurde widerrufen",
            "{greeting}\n\n{institution} hat Ihren Nachweis „{achievement}“ mit Wirkung vom {date} widerrufen. Er ist "
            "nicht mehr gültig. Bei Fragen schreiben Sie bitte an {contact}.\n\nWas dazu eingetragen ist:\n\n" + end,
        ),
    }


def _french() -> dict[str, Template]:
    end = _OPEN["fr"]
    return {
        "awarded": Template(
            "Votre attestation « {achievement} » de {institution}",
            "{greeting}\n\nFélicitations ! Le {date}, {institution} vous a décerné « {achievement} ».\n\n"
            "Ouvrez votre attestation, conservez-la et décidez qui peut la voir :\n\n" + end,
        ),
        "corrected": Template(
            "Votre attestation « {achievement} » a été corrigée",
            "{greeting}\n\n{institution} a corrigé votre attestation « {achievement} » et en a établi une nouvelle. "
            "Les copies antérieures ne sont plus valables ; merci d’utiliser la nouvelle :\n\n" + end,
        ),
        "renewal": Template(
            "« {achievement} » est à renouveler avant le {renew_by}",
            "{greeting}\n\nVotre attestation « {achievement} » de {institution} est à renouveler avant le {renew_by}. "
            "Pour savoir comment : {contact}.\n\nVotre attestation actuelle :\n\n" + end,
        ),
        "suspended": Template(
            "Votre attestation « {achievement} » est suspendue",
            "{greeting}\n\n{institution} a suspendu votre attestation « {achievement} » depuis le {date}. Jusqu’à son "
            "rétablissement, toute personne qui la vérifie en est informée. Une question ? Écrivez à {contact}.\n\n"
            "Votre attestation et son état :\n\n" + end,
        ),
        "reinstated": Template(
            "Votre attestation « {achievement} » est de nouveau valable",
            "{greeting}\n\nBonne nouvelle : {institution} a rétabli votre attestation « {achievement} ». Elle est de "
            "nouveau valable depuis le {date}.\n\n" + end,
        ),
        "revoked": Template(
            "Votre attestation « {achievement} » a été révoquée",
            "{greeting}\n\n{institution} a révoqué votre attestation « {achievement} » avec effet au {date}. Elle "
            "n’est plus valable. Une question ? Écrivez à {contact}.\n\nCe qui est enregistré à son sujet :\n\n" + end,
        ),
    }


def _spanish() -> dict[str, Template]:
    end = _OPEN["es"]
    return {
        "awarded": Template(
            "Su credencial «{achievement}» de {institution}",
            "{greeting}\n\n¡Enhorabuena! El {date}, {institution} le otorgó «{achievement}».\n\n"
            "Abra su credencial, guárdela y decida quién puede verla:\n\n" + end,
        ),
        "corrected": Template(
            "Su credencial «{achievement}» se ha corregido",
            "{greeting}\n\n{institution} ha corregido su credencial «{achievement}» y ha emitido una nueva. "
            "Las copias anteriores ya no son válidas; use la nueva, por favor:\n\n" + end,
        ),
        "renewal": Template(
            "«{achievement}» debe renovarse antes del {renew_by}",
            "{greeting}\n\nSu credencial «{achievement}» de {institution} debe renovarse antes del {renew_by}. "
            "Pregunte cómo a {contact}.\n\nSu credencial actual:\n\n" + end,
        ),
        "suspended": Template(
            "Su credencial «{achievement}» está suspendida",
            "{greeting}\n\n{institution} ha suspendido su credencial «{achievement}» desde el {date}. Hasta que se "
            "restablezca, quien la compruebe lo sabrá. Si tiene preguntas, escriba a {contact}.\n\n"
            "Su credencial y su estado:\n\n" + end,
        ),
        "reinstated": Template(
            "Su credencial «{achievement}» vuelve a ser válida",
            "{greeting}\n\nBuenas noticias: {institution} ha restablecido su credencial «{achievement}». Vuelve a ser "
            "válida desde el {date}.\n\n" + end,
        ),
        "revoked": Template(
            "Su credencial «{achievement}» se ha revocado",
            "{greeting}\n\n{institution} ha revocado su credencial «{achievement}» con efecto desde el {date}. Ya no "
            "es válida. Si tiene preguntas, escriba a {contact}.\n\nLo que consta sobre ella:\n\n" + end,
        ),
    }


BUILT_IN: Final[Mapping[str, Mapping[str, Template]]] = {
    "en": _english(),
    "de": _german(),
    "fr": _french(),
    "es": _spanish(),
}
