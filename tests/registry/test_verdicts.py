"""How a verdict reads on a page."""

from registry.verdicts import shown
from registry.verification.verdict import Check, Summary, failed, passed, skipped, verdict_of


def line_by_name(*checks: Check) -> dict[str, tuple[str, str]]:
    """(status, label) of each line by the check's name."""
    return {line.name: (line.status, line.label) for line in shown(verdict_of(checks, Summary(), test=True)).lines}


def test_what_nobody_vouches_for_is_amber_however_sound() -> None:
    verdict = verdict_of(
        [passed("proofs", "Sound.", cryptosuite="eddsa-jcs-2022"), skipped("issuer_recognised", "Nobody knows it.")],
        Summary(),
        test=True,
    )

    whole = shown(verdict)

    assert (whole.status, whole.headline) == ("warned", "Sound, but nobody here knows the issuer")
    assert [(line.status, line.label) for line in whole.lines] == [
        ("passed", "The signature is sound (eddsa-jcs-2022)"),
        ("warned", "Nobody here vouches for the issuer"),
    ]


def test_a_green_verdict_needs_a_known_issuer() -> None:
    verdict = verdict_of([passed("proofs", "Sound."), passed("issuer_recognised", "Known.")], Summary(), test=True)

    assert shown(verdict).status == "passed"


def test_a_red_verdict_names_each_fault_once() -> None:
    broken = [failed("proofs", "No.", cryptosuite=suite, proof=i) for i, suite in enumerate(("a", "b"))]
    whole = shown(verdict_of([*broken, failed("recorded", "Altered.")], Summary(), test=True))

    assert whole.sentence == "The signature does not hold. Not what this ledger recorded."


def test_a_missing_signature_and_an_unknown_standing_are_called_that() -> None:
    assert line_by_name(
        failed("proofs", "None.", code="UNSECURED"), failed("status", "Away.", code="STATUS_RETRIEVAL_ERROR")
    ) == {
        "proofs": ("failed", "It is not signed"),
        "status": ("failed", "Whether it was withdrawn cannot be told"),
    }
    assert line_by_name(failed("status", "It was revoked."))["status"] == ("failed", "Revoked or suspended")


def test_each_tick_takes_the_worst_of_its_checks_and_its_sentence() -> None:
    checks = [
        passed("proofs", "Sound."),
        failed("schema", "No name."),
        skipped("status", "It has none."),
        passed("validity", "For ever."),
    ]

    ticks = {tick.label: (tick.status, tick.detail) for tick in shown(verdict_of(checks, Summary(), test=True)).ticks}

    assert ticks == {
        "Signature": ("failed", "No name."),
        "Issuer": ("skipped", "Not asked."),
        "Not revoked": ("skipped", "It has none."),
        "Not expired": ("passed", "For ever."),
        "In the log": ("skipped", "Not asked."),
    }
