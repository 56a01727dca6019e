"""``safecelery reasons``: what a code in a dead letter means."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result

from safecelery.errors import Reason


def test_every_reason_has_a_line(run: Callable[..., Result]) -> None:
    result = run("reasons")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == list(Reason)


@pytest.mark.parametrize("reason", list(Reason))
def test_one_of_them_says_what_to_do(run: Callable[..., Result], reason: Reason) -> None:
    lines = run("reasons", reason.value).output.splitlines()
    assert lines[0].startswith(f"{reason.value}: ")
    assert [line[:16].strip() for line in lines[1:]] == ["points at", "what to do", "in report mode"]


def test_a_misspelt_one_is_an_error_with_the_nearest(run: Callable[..., Result]) -> None:
    result = run("reasons", "key-unknwon")
    assert result.exit_code == 2
    assert "key-unknown" in result.stderr


def test_the_page_has_a_chapter_for_each(run: Callable[..., Result]) -> None:
    page = run("reasons", "--format", "markdown").output
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == list(Reason)
    assert page.endswith(".\n")
    assert not page.endswith("\n\n")
