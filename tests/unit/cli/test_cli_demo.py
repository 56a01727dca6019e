"""The demo's parts that need no broker: forging, and the verdict. A demo that cannot say no proves nothing."""

from __future__ import annotations

import io
import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.cli.demo.attacks import ATTACKS, BOMB_MIB, Attack, Harmless, Loot
from safecelery.cli.demo.book import Book
from safecelery.cli.demo.identities import GRANTS, Identities
from safecelery.cli.demo.report import Findings, HonestResult, Row, in_words
from safecelery.cli.demo.scene import examples_directory
from safecelery.cli.demo.screen import Screen
from safecelery.cli.demo.sides import Side
from safecelery.cli.demo.strike import Outcome, audit
from safecelery.cli.demo.wire import QUEUE, Item, new_task
from safecelery.errors import Reason, Rejected
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.stages import RawMessage
from safecelery.message.unseal import unseal

REFUSED = Outcome("refused", "envelope-missing", "alive", 0)
BY_NAME = {attack.name: attack for attack in ATTACKS}


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Identities:
    return Identities.create(tmp_path_factory.mktemp("demo") / "keys")


def row(name: str, safe: Outcome, plain: Outcome | None = None) -> Row:
    return Row(BY_NAME[name], safe, plain)


def findings(*rows: Row, honest: bool = True) -> Findings:
    return Findings("a broker", [HonestResult("chain", "an order", honest, "done")], list(rows))


# The verdict --------------------------------------------------------------------------------------------------------


def test_everything_honest_and_nothing_forged_is_good() -> None:
    assert findings(row("unsigned", REFUSED)).good


def test_seeing_nothing_is_not_good() -> None:
    assert not Findings("a broker").good
    assert not findings().good


def test_honest_work_that_did_not_run_is_not_good() -> None:
    assert not findings(row("unsigned", REFUSED), honest=False).good


@pytest.mark.parametrize(
    "outcome",
    [
        replace(REFUSED, verdict="ran"),
        replace(REFUSED, verdict="vanished", reason=None),
        replace(REFUSED, worker="died"),
        replace(REFUSED, worker="stuck"),
        replace(REFUSED, verdict="harmless", reason="SUCCESS"),
    ],
    ids=["ran", "vanished", "worker died", "worker stuck", "ran as signed though nobody signed it"],
)
def test_an_attack_that_was_not_held_is_not_good(outcome: Outcome) -> None:
    assert not findings(row("garbage", REFUSED), row("unsigned", outcome)).good


def test_a_limit_that_was_lifted_is_not_good() -> None:
    lifted = Outcome("harmless", "SUCCESS", "alive", 0)
    held = replace(lifted, reason="SoftTimeLimitExceeded")
    assert findings(row("limit raised outside", held)).good
    assert not findings(row("limit raised outside", lifted)).good


def test_what_leaves_its_trace_late_has_run(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.jsonl")
    side = cast("Side", SimpleNamespace(book=book))
    book.path.write_text('{"what": "refunded", "to": "m-unsigned"}\n')
    assert audit(BY_NAME["unsigned"], side, 0, REFUSED).verdict == "ran"
    assert audit(BY_NAME["unsigned"], side, 1, REFUSED) == REFUSED
    assert audit(BY_NAME["garbage"], side, 0, REFUSED) == REFUSED


def shown(found: Findings) -> str:
    screen = Screen(io.StringIO())
    found.show_verdict(screen)
    return cast("io.StringIO", screen.stream).getvalue()


def test_the_verdict_names_what_went_wrong() -> None:
    text = shown(
        findings(
            row("unsigned", replace(REFUSED, verdict="ran")),
            row("garbage", replace(REFUSED, worker="died")),
            honest=False,
        )
    )
    assert "FORGED WORK RAN: unsigned\n" in text
    assert "HONEST WORK DID NOT RUN: chain\n" in text
    assert "NOT HELD: garbage\n" in text
    assert "0 of 2 attacks" not in text


def test_the_verdict_of_a_comparison_counts_both_sides() -> None:
    text = shown(
        findings(
            row("unsigned", REFUSED, Outcome("ran", None, "alive", 0)),
            row("garbage", REFUSED, Outcome("refused", None, "died", None)),
        )
    )
    assert "0 of 2 attacks" in text
    assert "Plain Celery ran 1 of them; its worker died or stuck 1 times" in text


@pytest.mark.parametrize(
    ("outcome", "words", "colour"),
    [
        (REFUSED, "refused: envelope-missing", "green"),
        (Outcome("refused", None, "alive", None), "refused", "green"),
        (Outcome("ran", None, "alive", 200), "RAN, +200 MiB", "red"),
        (Outcome("refused", None, "died", None), "WORKER DIED", "red"),
        (Outcome("ran", None, "stuck", 0), "RAN, WORKER STUCK", "red"),
        (Outcome("vanished", None, "alive", 0), "VANISHED", "red"),
        (Outcome("harmless", "SUCCESS", "alive", 0), "no effect, ran as signed", "green"),
    ],
)
def test_a_cell_says_what_happened(outcome: Outcome, words: str, colour: str) -> None:
    assert in_words(outcome, BY_NAME["task swapped outside"]) == (words, colour)


def test_the_document_for_tools_has_a_row_per_attack() -> None:
    document = json.loads(json.dumps(findings(row("unsigned", REFUSED, REFUSED), row("garbage", REFUSED)).as_json()))
    assert document["ok"] is True
    assert [(a["name"], a["held"], a["plain"] is None) for a in document["attacks"]] == [
        ("unsigned", True, False),
        ("garbage", True, True),
    ]


# The table ----------------------------------------------------------------------------------------------------------


def test_every_attack_has_a_name_and_fits_the_table() -> None:
    assert len(BY_NAME) == len(ATTACKS)
    for attack in ATTACKS:
        assert len(attack.name) <= 21
        assert len(attack.sent) <= 45


def test_no_two_forgeries_share_a_trace_unless_they_are_the_same_deed() -> None:
    deeds: dict[str, set[str]] = {}
    for attack in ATTACKS:
        if attack.trace is not None:
            deeds.setdefault(json.dumps(dict(attack.trace)), set()).add(attack.name.split()[0])
    assert all(len(names) == 1 for names in deeds.values())


def test_the_services_grants_cover_every_task_and_the_interns_one() -> None:
    assert GRANTS["intern"] == ("orders.print_label",)
    assert set(GRANTS) == {"shop", "orders-worker", "intern"}


@pytest.fixture
def loot(identities: Identities) -> Loot:
    shop = identities.keys["shop"]
    order = {"id": "ORD-7", "customer": "ann", "lines": []}
    items = [new_task("orders.validate", order), new_task("orders.refund", "ORD-7", 500, "ann")]
    items.append(new_task("orders.count_stock", 15))
    return Loot(*[item.signed(shop) for item in items], keys=identities.keys)  # type: ignore[misc]


def verdict(item: Item, trust: TrustStore, queue: str = QUEUE) -> Reason | Mapping[str, Any]:
    """What the envelope alone says: the headers that hold, or the reason that they do not."""
    raw = RawMessage(
        body=item.body, headers=item.headers, properties={}, content_type=item.content_type,
        content_encoding="utf-8", queue=queue,
    )  # fmt: skip
    try:
        return unseal(raw, Keyring(None, trust), now=time.time(), max_bytes=1 << 20).claims.hdr
    except Rejected as refusal:
        return refusal.reason


@pytest.mark.parametrize(
    "attack",
    [a for a in ATTACKS if a.expected in (Reason.ENVELOPE_MISSING, Reason.KEY_UNKNOWN, Reason.SIGNATURE_INVALID)
     and a.name != "garbage"],
    ids=lambda attack: attack.name,
)  # fmt: skip
def test_a_forgery_fails_for_the_reason_it_is_meant_to_show(attack: Attack, loot: Loot, identities: Identities) -> None:
    assert verdict(cast("Item", attack.forge(loot)), TrustStore.load(identities.trust_file)) == attack.expected


@pytest.mark.parametrize("attack", [a for a in ATTACKS if isinstance(a.expected, Harmless)], ids=lambda a: a.name)
def test_a_change_outside_leaves_what_was_signed(attack: Attack, loot: Loot, identities: Identities) -> None:
    forged = cast("Item", attack.forge(loot))
    headers = verdict(forged, TrustStore.load(identities.trust_file))
    assert isinstance(headers, Mapping)
    assert headers["task"] in ("orders.validate", "orders.count_stock")
    if attack.name != "limit raised, signed":
        assert (headers["task"], headers["timelimit"]) != (forged.headers["task"], forged.headers["timelimit"])


def test_against_plain_celery_nothing_is_signed(loot: Loot) -> None:
    plain = replace(loot, keys=None, **{n: new_task("orders.validate", {}) for n in ("validate", "refund", "count")})
    for attack in ATTACKS:
        forged = attack.forge(plain)
        assert not isinstance(forged, Item) or "safecelery" not in forged.headers


def test_the_bomb_is_small_on_the_wire_and_large_behind_it(loot: Loot) -> None:
    bomb = cast("Item", BY_NAME["compression bomb"].forge(loot))
    assert len(bomb.body) < 80 << 10
    inside = zlib.decompress(bomb.body)
    assert len(inside) > BOMB_MIB << 20
    assert inside.startswith(b'[["BOMB-1"], {}, {"padding": "AAAA')


# On the wire --------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=50), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3))
def test_what_is_written_to_the_list_is_read_from_it(body: bytes, headers: dict[str, str]) -> None:
    item = Item(body, headers)
    assert Item.read(item.write("orders")) == item


@pytest.mark.parametrize(("tty", "no_color", "coloured"), [(True, "", True), (True, "1", False), (False, "", False)])
def test_colours_are_for_terminals_that_want_them(
    tty: bool, no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: tty)
    Screen(stream).step("ok", "fine", "green")
    assert ("\x1b[" in stream.getvalue()) is coloured


def test_the_example_service_comes_along() -> None:
    assert (examples_directory() / "orders" / "tasks.py").is_file()
