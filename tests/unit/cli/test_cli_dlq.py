"""``safecelery dlq`` without a broker; with one it is tests/integration/test_dlq_cli.py."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click
import pytest
from click.testing import Result

from safecelery.brokers.browse import Found
from safecelery.cli.dlq import purge as purge_command
from safecelery.cli.dlq.describe import cut, describe, row, task_text
from safecelery.cli.dlq.group import COMMANDS
from safecelery.cli.dlq.options import Progress
from safecelery.message.dead_letter import DeadLetter, Original
from safecelery.message.letter_seal import LetterSeal
from safecelery.message.stages import RawMessage
from safecelery.runtime.dead_letters.stream import Entry

Run = Callable[..., Result]
CANARY = "4111-1111"


def entry(**changes: Any) -> Entry:
    raw = RawMessage(CANARY.encode(), {"argsrepr": CANARY}, {"p": CANARY}, CANARY, CANARY, "orders")
    values: dict[str, Any] = {
        "id": "a" * 32, "reason": "stale", "detail": "expired", "queue": "orders", "worker": "w",
        "at": datetime(2027, 1, 1, tzinfo=UTC), "key": None, "task": None, "task_id": None, "claimed_task": "pay",
        "deliveries": 3, "original": Original.of(raw),
    }  # fmt: skip
    return Entry("a" * 32, DeadLetter(**(values | changes)), "", LetterSeal(None, "not sealed"), Found(b"", {}, 1))


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_teaches_with_examples(run: Run, command: str) -> None:
    said = run("dlq", command, "--help").output
    assert "Examples:" in said
    assert f"safecelery dlq {command} -A shop" in said


@pytest.mark.parametrize("words", [["list"], ["show", "abcdef"], ["purge"], ["replay"], ["export", "new.jsonl"]])
def test_without_an_app_it_is_a_usage_error(run: Run, words: list[str]) -> None:
    result = run("dlq", *words)
    assert result.exit_code == 2
    assert "-A" in result.stderr


def test_an_app_that_does_not_exist_is_one_sentence(run: Run) -> None:
    result = run("dlq", "list", "-A", "no_such_project_here")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: -A no_such_project_here: cannot be imported")


def test_really_and_not_really_contradict_each_other(run: Run) -> None:
    assert run("dlq", "replay", "-A", "x", "--dry-run", "--yes").exit_code == 2


def test_a_row_and_a_description_have_no_payload() -> None:
    assert CANARY not in str(row(entry()))
    assert CANARY not in str(describe(entry()))
    assert describe(entry())["body_bytes"] == len(CANARY)
    assert describe(entry())["not_sealed"] == "not sealed"


def test_a_name_that_nobody_signed_has_a_question_mark() -> None:
    assert task_text("pay", None) == "pay"
    assert task_text(None, "pay") == "pay?"
    assert task_text(None, None) == "-"


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "a\nb", "\u202egnp.exe", "\x9b2J", "\ud800", "\r"])
def test_hostile_names_are_printed_harmlessly(hostile: str) -> None:
    shown = cut(hostile)
    assert shown.isprintable()
    assert shown.encode("utf-8")


def test_long_names_are_cut() -> None:
    assert len(cut("x" * 10_000)) == 48
    assert len(cut("\x1b" * 10_000)) == 48


@pytest.mark.parametrize(("typed", "agreed"), [("12", True), (" 12 ", True), ("", False), ("y", False), ("1", False)])
def test_a_purge_wants_to_hear_the_number(monkeypatch: pytest.MonkeyPatch, typed: str, agreed: bool) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(click, "prompt", lambda *_, **__: typed)
    assert purge_command._agreed(12) is agreed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_for_long_runs_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Progress, "PATIENCE_S", 0)
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        progress = Progress(stream)
        progress(1000, 10_000)
        progress.clear()
    assert "reading dead letters: 1,000 of 10,000" in terminal.getvalue()
    assert terminal.getvalue().endswith(" \r")
    assert pipe.getvalue() == ""
