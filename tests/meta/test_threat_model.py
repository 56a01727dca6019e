"""The threat model names tests that exist, and owns up to what is not there yet."""

from __future__ import annotations

import re
from pathlib import Path

from tests.attacks.capabilities import PRESENT

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(tests/[^`]+)`", TEXT))
    assert len(named) > 40
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_every_row_of_what_is_defended_names_a_test() -> None:
    rows = [line for line in TEXT.splitlines() if re.match(r"\| [STRIDE] \|", line)]
    assert {row[2] for row in rows} == set("STRIDE")
    assert [row for row in rows if "`tests/" not in row] == []


def test_what_is_not_there_yet_is_what_the_cases_wait_for() -> None:
    section = TEXT.partition("### Not yet")[2]
    assert set(re.findall(r"^\* `(\w+)`:", section, re.MULTILINE)) == {
        name for name, there in PRESENT.items() if not there
    }


def test_every_attacker_is_in_a_row() -> None:
    attackers = set(re.findall(r"^\| (T\d) \|", TEXT, re.MULTILINE))
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and not re.match(r"\| [TA]\d \|", line)]
    assert attackers == {name for row in rows for name in re.findall(r"\bT\d\b", row)}
