"""Proves that a notice says what is stored and nothing else, and is not written where it may not be."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import product
from typing import Any

import pytest

from explainer.errors import Conflict, InvalidOption, NoticeBlocked
from explainer.reviews.notices import Datum, ReasonLine, Review, Sender, compose, jurisdictions, languages, missing
from explainer.reviews.notices.catalogue import catalogue
from explainer.reviews.notices.document import Heading, Items, Pairs, SmallPrint, Table, texts
from tests.reviews.notices.example import FACTS, RECORD, SENDER, facts

EVERY = list(product(jurisdictions(), languages()))


def whole(document: Any) -> str:
    return "\n".join(texts(document))


@pytest.mark.parametrize(("jurisdiction", "language"), EVERY)
@pytest.mark.parametrize("packet", [False, True])
def test_every_template_in_every_language_says_it_all(jurisdiction: str, language: str, packet: bool) -> None:
    """Decision, date, purpose, reasons in order, all data, contact, review and reference stand in each notice."""
    document = compose(FACTS, jurisdiction, language, packet)
    words, told = catalogue(language), whole(document)
    assert document.language == language
    for needed in (
        FACTS.outcome,
        FACTS.purpose,
        FACTS.reference,
        SENDER.name,
        SENDER.contact,
        "The income was checked.",
    ):
        assert needed in told
    assert words.date(FACTS.decided_at) in told
    lists = [block.entries for block in document.blocks if isinstance(block, Items) and block.ordered]
    assert lists[0] == ("The loan runs for a long time", "Few savings", "Many loans")
    table = next(block for block in document.blocks if isinstance(block, Table))
    assert [row[1] for row in table.rows] == [words.value(item.value) for item in FACTS.data]
    assert "{" not in told
    assert isinstance(document.blocks[-1], SmallPrint)


@pytest.mark.parametrize(("jurisdiction", "language"), EVERY)
@pytest.mark.parametrize(
    "changes",
    [
        {"review": None, "order_certain": False, "basis": "approved", "reference": ""},
        {"reasons_by": "person", "texts_language": "fr", "review": replace(FACTS.review, kind="override", reason="")},
        {"texts_language": "xx", "record": replace(RECORD, exact=True, class_name=None, additivity_gap=None)},
        {"record": replace(RECORD, warnings=(), history=()), "data": (Datum("age", 33),)},
    ],
)
def test_every_branch_composes(jurisdiction: str, language: str, changes: dict[str, Any]) -> None:
    """Whatever holds of a decision, all words for it are there in each language."""
    for packet in (False, True):
        assert "{" not in whole(compose(facts(**changes), jurisdiction, language, packet))


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    "kind", ["uphold", "override", "confirm", "reject", "refer", "information", "withdraw", "blind"]
)
def test_every_entry_of_a_person_has_words(kind: Any, language: str) -> None:
    """The packet's history says each kind of entry with its day, its outcome and its reason where it has them."""
    entry = Review(kind, "2026-02-01T08:00:00Z", "granted", "Seen papers.")
    document = compose(facts(record=replace(RECORD, history=(entry,))), "generic", language, packet=True)
    line = next(b.entries[0] for b in reversed(document.blocks) if isinstance(b, Items) and b.ordered)
    assert catalogue(language).date(entry.at) in line
    assert "Seen papers." in line
    assert ("granted" in line) is (kind not in ("refer", "information", "withdraw"))


def test_the_order_is_doubted_only_where_it_is_open() -> None:
    """The sentence on the order stands exactly where the order is not certain."""
    sentence = catalogue("en").say("reasons.unsure")
    assert sentence not in texts(compose(FACTS, "generic", "en"))
    assert sentence in texts(compose(facts(order_certain=False), "generic", "en"))


def test_the_reference_of_the_reasons_is_named() -> None:
    """'average' and 'approved' have sentences of their own; a person's reasons have neither, and no order."""
    said = {key: catalogue("en").say(f"reasons.{key}") for key in ("average", "approved", "person")}
    for changes, key in (({}, "average"), ({"basis": "approved"}, "approved"), ({"reasons_by": "person"}, "person")):
        document = compose(facts(**changes), "generic", "en")
        assert [k for k, text in said.items() if text in texts(document)] == [key]
    lists = [block for block in document.blocks if isinstance(block, Items)]
    assert [block.ordered for block in lists] == [False]


@pytest.mark.parametrize(("language", "owner", "said"), [("en", "en", False), ("de", "en", True), ("en", "de", True)])
def test_words_in_another_language_are_announced(language: str, owner: str, said: bool) -> None:
    """Where the owner's texts are not in the notice's language it says so, and in which one they are."""
    words = catalogue(language)
    sentence = words.say("owner.words", texts_language=words.say(f"languages.{owner}"))
    assert (sentence in texts(compose(facts(texts_language=owner), "generic", language))) is said


def test_regulation_b_has_its_notice_with_the_agency() -> None:
    """The English text is that of 12 CFR 1002.9(b)(1), with the creditor's agency in its place."""
    told = whole(compose(FACTS, "us-ecoa", "en"))
    assert "race, color, religion, national origin, sex, marital status, age (provided the applicant has the" in told
    assert told.count("concerning this creditor is Agency, 1 G Street, Washington.") == 1
    assert "ask for this notice in English" not in told
    assert catalogue("de").say("ecoa.english") in texts(compose(FACTS, "us-ecoa", "de"))


def test_the_gdpr_notice_names_the_rights() -> None:
    """Intervention, point of view, contest and access stand there as a list."""
    document = compose(FACTS, "eu-gdpr", "en")
    listed = [block.entries for block in document.blocks if isinstance(block, Items) and not block.ordered]
    words = ("a person looks at the decision", "your point of view", "contest the decision", "a copy of your data")
    assert all(word in entry for word, entry in zip(words, listed[0], strict=True))


def test_the_packet_has_every_attribution_with_its_error() -> None:
    """Each push with six digits and its margin, the digests, the receipt and the warnings, after the notice's own."""
    document = compose(FACTS, "generic", "en", packet=True)
    table = [block for block in document.blocks if isinstance(block, Table)][-1]
    assert table.rows == (
        ("duration months", "24", "0.123457", "0.01"),
        ("credit amount", "1234567.89", "−0.0456", "0.002"),
        ("checking status", "not given", "2", "not known"),
        ("employed", "yes", "1 · 10⁻⁷", "0.03"),
        ("purpose", "new car", "0", "0"),
    )
    assert table.numeric == (2, 3)
    pairs = dict(pair for block in document.blocks if isinstance(block, Pairs) for pair in block.rows)
    assert (pairs["What the model answered"], pairs["Average answer in the comparison cases"]) == ("0.731235", "−0.25")
    assert (pairs["Score in this case"], pairs["Threshold"]) == ("0.7312", "0.4")
    assert (pairs["Digest of the model"], pairs["Digest of the explanation"]) == ("a" * 64, "b" * 64)
    assert pairs["Receipt"] == "r-0123456789abcdef"
    assert RECORD.warnings in [block.entries for block in document.blocks if isinstance(block, Items)]


def test_exact_attributions_have_no_margin() -> None:
    """Where nothing was estimated there is no column of errors, and the record says that it is exact."""
    document = compose(facts(record=replace(RECORD, exact=True)), "generic", "en", packet=True)
    table = [block for block in document.blocks if isinstance(block, Table)][-1]
    assert table.columns == ("Item", "Value", "Moved by")
    assert catalogue("en").say("pushes.exact") in texts(document)


def test_a_packet_of_a_favourable_outcome_has_no_reasons() -> None:
    """Who was granted what they asked for gets a record without reasons, and no notice."""
    granted = facts(outcome="granted", adverse=False, blocked=("anything",))
    headings = [b.text for b in compose(granted, "generic", "en", packet=True).blocks if isinstance(b, Heading)]
    assert "The main reasons" not in headings
    assert "How much each item of data counted" in headings
    with pytest.raises(Conflict, match="'granted': there is no adverse decision"):
        compose(granted, "generic", "en")


@pytest.mark.parametrize("packet", [False, True])
@pytest.mark.parametrize("changes", [{"blocked": ("'sex' is a protected factor",)}, {"reasons": ()}])
def test_findings_bar_a_notice(packet: bool, changes: dict[str, Any]) -> None:
    """A protected or unmapped factor, or no reason at all, raises NoticeBlocked and names what it is."""
    with pytest.raises(NoticeBlocked, match="The notice is blocked") as caught:
        compose(facts(**changes), "generic", "en", packet)
    assert [p.detail for p in caught.value.problems] == list(changes.get("blocked", ("There is no reason to state.",)))


@pytest.mark.parametrize(
    ("jurisdiction", "lacking"),
    [
        ("generic", ["EXPLAINER_NOTICE_SENDER", "EXPLAINER_NOTICE_CONTACT"]),
        ("eu-gdpr", ["EXPLAINER_NOTICE_SENDER", "EXPLAINER_NOTICE_ADDRESS", "EXPLAINER_NOTICE_CONTACT"]),
        (
            "us-ecoa",
            [f"EXPLAINER_NOTICE_{name}" for name in ("SENDER", "ADDRESS", "CONTACT", "AGENCY")],
        ),
    ],
)
def test_a_notice_needs_its_sender(jurisdiction: str, lacking: list[str]) -> None:
    """Who decides must be set; each lacking setting is named, and nothing is lacking once all are there."""
    problems = missing(facts(sender=Sender()), jurisdiction)
    assert [p.detail.split()[1].rstrip(":") for p in problems] == lacking
    assert missing(FACTS, jurisdiction) == ()
    with pytest.raises(InvalidOption, match="EXPLAINER_NOTICE_SENDER"):
        compose(facts(sender=Sender()), jurisdiction, "en")


@pytest.mark.parametrize(
    ("jurisdiction", "language", "words"),
    [("us", "en", "no template 'us'"), ("packet", "en", "no template 'packet'"), ("../x", "en", "no template"),
     ("generic", "it", "no notices in 'it'"), ("generic", "../en", "no notices in")],
)  # fmt: skip
def test_unknown_templates_and_languages(jurisdiction: str, language: str, words: str) -> None:
    """They are refused with the list of those there are; no other file can be reached."""
    with pytest.raises(InvalidOption, match=words):
        compose(FACTS, jurisdiction, language)


def test_a_packet_needs_its_record() -> None:
    """Without the stored explanation there is no packet."""
    with pytest.raises(InvalidOption, match="no stored explanation"):
        compose(facts(record=None), "generic", "en", packet=True)


def test_braces_and_controls_in_facts_are_text() -> None:
    """Braces of others are not filled in, and a sign that turns the reading direction becomes visible."""
    hostile = facts(outcome="{purpose} \u202edenilced\x00", reasons=(ReasonLine("{0} {missing}"),))
    told = texts(compose(hostile, "generic", "en"))
    assert "{0} {missing}" in told
    assert "{purpose} \ufffddenilced\ufffd" in told


def test_facts_are_not_changed() -> None:
    """Composing leaves the facts as they were."""
    before = asdict(FACTS)
    compose(FACTS, "us-ecoa", "fr", packet=True)
    assert asdict(FACTS) == before
