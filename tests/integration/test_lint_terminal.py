"""What a person sees, and what a pipe gets: colour, progress, Ctrl-C, a reader that leaves early."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.integration.lint_process import CLEAN, SHOP, LintedProject

ESCAPE = "\x1b["


def test_colours_are_for_terminals_and_for_who_asks_for_them(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    status, shown = linted.on_terminal("lint")
    assert status == 1
    assert ESCAPE in shown
    assert ESCAPE not in linted.run("lint").stdout
    assert ESCAPE in linted.run("lint", "--color", "always").stdout
    assert ESCAPE in linted.run("lint", FORCE_COLOR="1").stdout


@pytest.mark.parametrize(
    ("words", "env"),
    [((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"}), (("--color", "never"), {}),
     ((), {"NO_COLOR": "1", "FORCE_COLOR": "1"})],
)  # fmt: skip
def test_who_wants_no_colour_gets_none_on_a_terminal(
    linted: LintedProject, words: tuple[str, ...], env: dict[str, str]
) -> None:
    linted.write({"tasks.py": SHOP})
    assert ESCAPE not in linted.on_terminal("lint", *words, **env)[1]


def test_formats_for_programs_have_no_colours_even_on_a_terminal(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    for form in ("json", "sarif", "github", "junit"):
        assert ESCAPE not in linted.on_terminal("lint", "--format", form)[1]


def test_without_its_colours_the_report_of_a_terminal_is_the_report_of_a_pipe(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    _, shown = linted.on_terminal("lint", "--no-progress", columns=400)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n")
    assert re.sub(r"[\d.]+ s\)", "", plain) == re.sub(r"[\d.]+ s\)", "", linted.run("lint").stdout)


def slow(project: LintedProject) -> None:
    """A tree that takes seconds: every file concerns Celery, and none was seen before."""
    body = CLEAN + "".join(f"\n\ndef helper_{n}(x):\n    return [x, {{'a': x}}, (x + {n})]\n" for n in range(500))
    project.write({f"shop/part{n}.py": body for n in range(150)})


def test_progress_is_shown_on_a_terminal_and_gone_at_the_end(linted: LintedProject) -> None:
    slow(linted)
    _, shown = linted.on_terminal("lint", "--no-cache")
    assert re.search(r"\rreading files: \d+ of 150", shown)
    last = shown[shown.rindex("reading files") :]
    assert re.match(r"reading files: \d+ of 150\s*\r\s+\r", last)
    assert "reading files" not in linted.on_terminal("lint", "--no-cache", "--no-progress")[1]
    assert "reading files" not in linted.on_terminal("lint", "--no-cache", "--quiet")[1]
    piped = linted.run("lint", "--no-cache")
    assert piped.stderr == ""
    assert "reading files" not in piped.stdout


def test_ctrl_c_ends_the_run_quietly_with_130_and_leaves_nothing(linted: LintedProject) -> None:
    slow(linted)
    process = subprocess.Popen(
        linted.command("lint", "--output-file", "report.txt", "--update-baseline", "--baseline", "known.json"),
        cwd=linted.directory, env={**linted.env, "PYTHONUNBUFFERED": "1"}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        # A shell's background job, such as this test may be part of, ignores the signal, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    # As a terminal does it: to every process of the group, while they are at work.
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not children.read_text():
        assert process.poll() is None, "it ended before it began to read"
    os.killpg(process.pid, signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130, (out, error)
    assert (out, error) == ("", "interrupted\n")
    assert not (linted.directory / "known.json").exists()
    assert not list(linted.room.rglob("*.tmp"))


@pytest.mark.parametrize("form", ["full", "concise", "json", "html"])
def test_a_reader_that_has_seen_enough_ends_the_run_quietly(linted: LintedProject, form: str) -> None:
    linted.write({f"tasks{n}.py": SHOP for n in range(60)})
    process = subprocess.Popen(
        linted.command("lint", "--format", form),
        cwd=linted.directory, env=linted.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) in (1, 141, -signal.SIGPIPE)


def test_a_closed_standard_output_or_error_is_no_traceback(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    for closed in ("1", "2"):
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *linted.command("lint")],
            cwd=linted.directory, env=linted.env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr == ""


def test_a_full_disk_is_said(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    done = linted.run("lint", "--output-file", "/dev/full")
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    with open("/dev/full", "w") as full:  # noqa: PTH123
        printed = subprocess.run(
            linted.command("lint"), cwd=linted.directory, env=linted.env, stdout=full, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    assert printed.returncode == 2
    assert "No space left on device" in printed.stderr
    assert "Traceback" not in printed.stderr
