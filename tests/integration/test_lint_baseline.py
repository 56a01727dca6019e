"""A baseline over the life of a project: written, compared, moved, fixed, broken."""

from __future__ import annotations

import json

import pytest

from tests.integration.lint_process import SHOP, LintedProject

KNOWN = ("--baseline", "known.json")


def entries(project: LintedProject) -> list[tuple[str, str, str]]:
    known = json.loads((project.directory / "known.json").read_text())["findings"]
    return [(entry["path"], entry["code"], entry["subject"]) for entry in known]


def test_only_what_is_new_fails(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    found = linted.codes()
    written = linted.run("lint", *KNOWN, "--update-baseline")
    assert (written.returncode, written.stdout) == (0, "")
    assert sorted(code for _, code, _ in entries(linted)) == sorted(found)
    assert linted.run("lint", *KNOWN).returncode == 0
    linted.write({"more.py": "from celery import shared_task\n@shared_task\ndef more() -> None: ...\n"})
    report = linted.report(*KNOWN)
    assert {item["path"] for item in report["findings"]} == {"more.py"}
    assert {"SFC401", "SFC402"} <= {item["code"] for item in report["findings"]}
    assert len(report["baselined"]) == len(found)
    assert linted.run("lint", *KNOWN).returncode == 1
    updated = linted.run("lint", *KNOWN, "--update-baseline")
    assert f"{len(report['findings'])} of them new" in updated.stderr
    assert linted.run("lint", *KNOWN).returncode == 0


def test_lines_may_move_and_what_was_fixed_leaves_the_file(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    linted.run("lint", *KNOWN, "--update-baseline")
    linted.write({"tasks.py": "# a comment\n\n\n" + SHOP})
    assert linted.codes(*KNOWN) == []
    linted.write({"tasks.py": SHOP.replace("ignore_results", "ignore_result")})
    assert linted.run("lint", *KNOWN).returncode == 0
    assert "1 fixed" in linted.run("lint", *KNOWN, "--update-baseline").stderr
    assert "SFC901" not in {code for _, code, _ in entries(linted)}
    linted.write({"tasks.py": SHOP})
    assert linted.codes(*KNOWN) == ["SFC901"]


def test_a_second_task_with_the_same_fault_is_new(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    linted.run("lint", *KNOWN, "--update-baseline")
    linted.write({"tasks.py": SHOP + "\n\n@app.task(time_limit=9, soft_time_limit=8)\ndef again() -> None: ...\n"})
    assert [item["subject"] for item in linted.report(*KNOWN)["findings"]] == ["tasks.again"]


def test_what_a_run_does_not_look_at_stays_known(linted: LintedProject) -> None:
    linted.write({"a/__init__.py": "", "a/tasks.py": SHOP, "b/tasks.py": SHOP})
    linted.run("lint", *KNOWN, "--update-baseline")
    everything = entries(linted)
    linted.run("lint", "a", *KNOWN, "--update-baseline")
    linted.run("lint", "--select", "SFC901", *KNOWN, "--update-baseline")
    assert entries(linted) == everything
    (linted.directory / "b/tasks.py").write_text(SHOP + "\n)\n")
    assert linted.run("lint", *KNOWN, "--update-baseline").returncode == 2
    assert entries(linted) == everything


def test_the_baseline_means_the_same_from_wherever_the_linter_runs(linted: LintedProject) -> None:
    linted.write({"src/tasks.py": SHOP})
    linted.run("lint", *KNOWN, "--update-baseline")
    inside = linted.directory / "src"
    assert linted.codes("--baseline", "../known.json", cwd=inside) == []
    assert linted.codes("project/src", "--baseline", "project/known.json", cwd=linted.room) == []
    assert linted.codes(linted.directory, "--baseline", linted.directory / "known.json", cwd=linted.room) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"schema": 2, "findings": []}', b'{"schema": 1, "findings": [{"code": "SFC401"}]}',
     b"\xff\xfe", b"<<<<<<< ours\n{}\n", b"[" * 100_000],
    ids=["empty", "cut", "list", "newer", "entry", "bytes", "merge", "deep"],
)  # fmt: skip
def test_a_broken_baseline_is_said_and_never_taken_as_anything(linted: LintedProject, content: bytes) -> None:
    linted.write({"tasks.py": SHOP, "known.json": content})
    for words in ((), ("--update-baseline",)):
        done = linted.run("lint", *KNOWN, *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert "known.json" in done.stderr
        assert (linted.directory / "known.json").read_bytes() == content


def test_a_missing_baseline_is_said(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    done = linted.run("lint", *KNOWN)
    assert done.returncode == 2
    assert "--update-baseline" in done.stderr


def test_a_baseline_named_in_the_configuration_is_used(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP, "pyproject.toml": '[tool.safecelery]\nbaseline = "ci/known.json"\n'})
    (linted.directory / "ci").mkdir()
    assert linted.run("lint").returncode == 2
    assert linted.run("lint", "--update-baseline").returncode == 0
    assert linted.run("lint").returncode == 0
    assert linted.run("lint", "--isolated").returncode == 1
