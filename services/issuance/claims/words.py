"""What the learner's page says, in the languages that notices are written in. ● Pure."""

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("en", "de", "fr", "es")

_WORDS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "title": ("Your credential", "Ihr Nachweis", "Votre attestation", "Su credencial"),
    "from": ("from {}", "von {}", "de {}", "de {}"),
    "intro": (
        "This page is for the person whom the message was sent to. Press the button to confirm that you received it; "
        "your credential opens then.",
        "Diese Seite ist für die Person, an die die Nachricht ging. Mit dem Knopf bestätigen Sie, dass Sie sie "
        "erhalten haben; dann öffnet sich Ihr Nachweis.",
        "Cette page est destinée à la personne à qui le message a été envoyé. Appuyez sur le bouton pour confirmer que "
        "vous l’avez reçu ; votre attestation s’ouvrira.",
        "Esta página es para la persona a quien se envió el mensaje. Pulse el botón para confirmar que lo ha recibido; "
        "entonces se abrirá su credencial.",
    ),
    "confirm": ("Confirm and open", "Bestätigen und öffnen", "Confirmer et ouvrir", "Confirmar y abrir"),
    "confirm_hint": (
        "Not you? Then please close this page. Nothing happens unless you press the button.",
        "Das sind nicht Sie? Dann schließen Sie bitte diese Seite. Ohne den Knopf geschieht nichts.",
        "Ce n’est pas vous ? Fermez cette page. Rien ne se passe sans le bouton.",
        "¿No es usted? Cierre esta página. No ocurre nada si no pulsa el botón.",
    ),
    "awarded_to": ("Awarded to {}", "Verliehen an {}", "Décernée à {}", "Otorgada a {}"),
    "by_on": ("by {} on {}", "von {} am {}", "par {} le {}", "por {} el {}"),
    "valid": ("Valid", "Gültig", "Valable", "Válida"),
    "expired": ("Expired", "Abgelaufen", "Expirée", "Caducada"),
    "suspended": ("Suspended", "Ausgesetzt", "Suspendue", "Suspendida"),
    "revoked": ("Withdrawn", "Widerrufen", "Révoquée", "Revocada"),
    "valid_until": ("Valid until {}", "Gültig bis {}", "Valable jusqu’au {}", "Válida hasta el {}"),
    "saved": ("Saved.", "Gespeichert.", "Enregistré.", "Guardado."),
    "joined_now": ("The records are joined.", "Die Einträge sind verbunden.", "Les dossiers sont réunis.",
                   "Los registros están unidos."),
    "proven": (
        "You confirmed {}.", "Sie haben {} bestätigt.", "Vous avez confirmé {}.", "Ha confirmado {}.",
    ),
    "take": ("Keep it", "Speichern", "La conserver", "Guardarla"),
    "take_hint": (
        "Each file holds the whole signed credential. Any Open Badges wallet or verifier reads it.",
        "Jede Datei enthält den ganzen signierten Nachweis. Jedes Wallet und jedes Prüfprogramm für Open Badges "
        "liest sie.",
        "Chaque fichier contient l’attestation signée entière. Tout portefeuille ou vérificateur Open Badges la lit.",
        "Cada archivo contiene la credencial firmada completa. La lee cualquier monedero o verificador Open Badges.",
    ),
    "picture": ("Badge picture (PNG)", "Bild (PNG)", "Image (PNG)", "Imagen (PNG)"),
    "visible": ("Who may see it", "Wer ihn sehen darf", "Qui peut la voir", "Quién puede verla"),
    "visible_hint": (
        "You can change this at any time. Copies that others already have are not touched by it.",
        "Sie können das jederzeit ändern. Kopien, die andere schon haben, berührt es nicht.",
        "Vous pouvez changer cela à tout moment. Les copies déjà détenues par d’autres n’en sont pas affectées.",
        "Puede cambiarlo cuando quiera. No afecta a las copias que otros ya tienen.",
    ),
    "unlisted": (
        "Only people who have its address", "Nur wer die Adresse hat",
        "Seulement les personnes qui en ont l’adresse", "Solo quien tenga la dirección",
    ),
    "unlisted_hint": (
        "The address cannot be guessed, and search engines are asked to leave it out.",
        "Die Adresse ist nicht zu erraten, und Suchmaschinen sollen sie auslassen.",
        "L’adresse est impossible à deviner et les moteurs de recherche sont priés de l’ignorer.",
        "La dirección no se puede adivinar y se pide a los buscadores que la omitan.",
    ),
    "public": ("Everybody, search engines too", "Alle, auch Suchmaschinen",
               "Tout le monde, moteurs de recherche compris", "Todo el mundo, también los buscadores"),
    "public_hint": (
        "Your name and this credential may then be found on the web.",
        "Ihr Name und dieser Nachweis können dann im Netz gefunden werden.",
        "Votre nom et cette attestation pourront alors être trouvés sur le web.",
        "Entonces su nombre y esta credencial podrán encontrarse en la web.",
    ),
    "hidden": ("Nobody", "Niemand", "Personne", "Nadie"),
    "hidden_hint": (
        "Its address shows nothing, in no form. A file that you hand over yourself can still be checked.",
        "Die Adresse zeigt nichts, in keiner Form. Eine Datei, die Sie selbst weitergeben, bleibt prüfbar.",
        "Son adresse n’affiche rien, sous aucune forme. Un fichier que vous remettez vous-même reste vérifiable.",
        "Su dirección no muestra nada, en ninguna forma. Un archivo que usted entregue se puede seguir comprobando.",
    ),
    "save": ("Save", "Speichern", "Enregistrer", "Guardar"),
    "look": ("See the page as others see it", "Die Seite ansehen, wie andere sie sehen",
             "Voir la page comme les autres la voient", "Ver la página como la ven los demás"),
    "join": ("Is this you as well?", "Sind das auch Sie?", "Est-ce aussi vous ?", "¿Es usted también?"),
    "join_hint": (
        "These records belong to an address that you confirmed. Joined, they count as one learner's. "
        "No institution learns of the other.",
        "Diese Einträge gehören zu einer Adresse, die Sie bestätigt haben. Verbunden gelten sie als die einer Person. "
        "Keine Einrichtung erfährt von der anderen.",
        "Ces dossiers appartiennent à une adresse que vous avez confirmée. Réunis, ils comptent pour une personne. "
        "Aucun établissement n’apprend l’existence de l’autre.",
        "Estos registros pertenecen a una dirección que ha confirmado. Unidos, cuentan como los de una sola persona. "
        "Ninguna institución sabe de la otra.",
    ),
    "join_button": ("Join with {}", "Mit {} verbinden", "Réunir avec {}", "Unir con {}"),
    "link_until": (
        "This page is open to you until {}. After that, ask the institution to send the message again.",
        "Diese Seite ist bis {} offen. Danach bitten Sie die Einrichtung, die Nachricht noch einmal zu senden.",
        "Cette page vous est ouverte jusqu’au {}. Ensuite, demandez à l’établissement de renvoyer le message.",
        "Esta página está abierta hasta el {}. Después, pida a la institución que reenvíe el mensaje.",
    ),
}  # fmt: skip


def page_language(*wanted: str | None) -> str:
    """The first of the wanted languages that the page speaks, else English."""
    spoken = [one.partition("-")[0] for one in wanted if one]
    return next((one for one in spoken if one in LANGUAGES), "en")


def words_in(language: str) -> dict[str, str]:
    """Every text of the page in a language of `LANGUAGES`."""
    place = LANGUAGES.index(language)
    return {name: texts[place] for name, texts in _WORDS.items()}
