"""``safecelery lint`` from outside: exit status, selection, configuration, what it says of what it cannot do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.lint_process import CLEAN, SAFE_APP, SHOP, LintedProject

OWN_POLICY = """\
name = "own"
extends = "baseline"
[rules]
hard-time-limit-missing = "off"
soft-time-limit-missing = "warn"
"""


def test_a_clean_project_is_0_findings_are_1_and_what_was_not_read_is_2(linted: LintedProject) -> None:
    linted.write({"tasks.py": CLEAN})
    clean = linted.run("lint")
    assert (clean.returncode, clean.stderr) == (0, "")
    assert clean.stdout.startswith("passed: no findings in 1 task, 1 file")
    linted.write({"more.py": SHOP})
    assert linted.run("lint").returncode == 1
    assert linted.run("lint", "--exit-zero").returncode == 0
    linted.write({"more.py": SHOP + "\ndef broken(:\n"})
    done = linted.run("lint", "--format", "concise")
    assert done.returncode == 2
    assert "more.py:15: unread: " in done.stdout
    assert "more.py:6:1: SFC401 " in done.stdout  # the rest of the file, and of the tree, is checked
    assert linted.run("lint", "--exit-zero").returncode == 2


def test_warnings_fail_only_if_asked_to(linted: LintedProject) -> None:
    linted.write({"tasks.py": CLEAN.replace("order: int", "order")})
    assert linted.run("lint").returncode == 0
    assert linted.run("lint", "--fail-on-warnings").returncode == 1


def test_the_console_script_is_the_same_command(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    script = Path(sys.executable).with_name("safecelery")
    start = [str(script)] if script.exists() else [sys.executable, "-c", "import safecelery.cli.main as m; m.main()"]
    done = subprocess.run(
        [*start, "lint", "--format", "json-lines"],
        cwd=linted.directory, env=linted.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    again = linted.run("lint", "--format", "json-lines")
    assert done.stdout.splitlines()[:-1] == again.stdout.splitlines()[:-1]  # the last one has the seconds


@pytest.mark.parametrize(
    "files", [{}, {"readme.txt": "hello"}, {"shop/__init__.py": ""}], ids=["none", "text", "empty"]
)
def test_nothing_to_check_is_said_and_is_no_failure(linted: LintedProject, files: dict[str, str]) -> None:
    linted.write(files)
    done = linted.run("lint")
    assert done.returncode == 0
    assert "0 tasks" in done.stdout


def test_select_ignore_and_policy_choose_the_rules(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    everything = linted.codes()
    assert {"SFC401", "SFC402", "SFC501", "SFC901"} < set(everything)
    assert set(linted.codes("--select", "SFC4")) == {code for code in everything if code.startswith("SFC4")}
    assert linted.codes("--select", "unknown-task-option") == ["SFC901"]
    assert linted.codes("--select", "SFC901,SFC402", "--ignore", "SFC901,soft-time-limit-missing") == []
    for family in "123456789":  # whatever kind of subject is left without a rule
        assert f"SFC{family}" not in {code[:4] for code in linted.codes("--ignore", f"SFC{family}")}
    assert linted.run("lint", "--policy", "migration").returncode in (0, 1)
    levels = {f["code"]: f["level"] for f in linted.report("--policy", "migration")["findings"]}
    assert levels["SFC402"] == "warning"
    assert {f["code"]: f["level"] for f in linted.report("--policy", "strict")["findings"]}["SFC402"] == "error"


def test_a_policy_file_of_ones_own_sets_levels(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP, "own.toml": OWN_POLICY})
    levels = {f["code"]: f["level"] for f in linted.report("--policy", "own.toml")["findings"]}
    assert "SFC401" not in levels
    assert levels["SFC402"] == "warning"
    linted.write({"own.toml": OWN_POLICY.replace("missing", "misssing")})
    refused = linted.run("lint", "--policy", "own.toml")
    assert refused.returncode == 2
    assert "'hard-time-limit-missing'" in refused.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.safecelery]\nselect = ["SFC901"]\n'),
        ("pyproject.toml", '[tool.safecelery.lint]\nselect = ["SFC901"]\n'),
        ("safecelery.toml", '[lint]\nselect = ["SFC901"]\n'),
    ],
)
def test_configuration_is_found_from_the_checked_path_upwards(linted: LintedProject, name: str, text: str) -> None:
    linted.write({"src/shop/tasks.py": SHOP, name: text})
    assert linted.codes() == ["SFC901"]
    assert linted.codes("src/shop", cwd=linted.directory) == ["SFC901"]
    assert linted.codes("--select", "SFC401") == ["SFC401"]
    assert len(linted.codes("--isolated")) > 2
    assert f"# {linted.directory / name}" in linted.run("lint", "--show-config").stdout


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("pyproject.toml", "[tool.safecelery]\npolicyy = 'strict'\n", "unknown key (did you mean 'policy'?)"),
        ("safecelery.toml", "[lint]\nselekt = []\n", "unknown key (did you mean 'select'?)"),
        ("safecelery.toml", "[lint]\nselect = 'SFC4'\n", "must be a list of texts"),
        ("safecelery.toml", "[lint\n", "not TOML"),
        ("pyproject.toml", "[tool.safecelery]\npolicy = 'stricct'\n", "did you mean 'strict'"),
    ],
)
def test_wrong_configuration_is_one_line_and_2(linted: LintedProject, name: str, text: str, said: str) -> None:
    linted.write({"tasks.py": SHOP, name: text})
    done = linted.run("lint")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert str(linted.directory / name) in done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert linted.run("lint", "--isolated").returncode == 1


def test_a_path_that_does_not_exist_is_usage(linted: LintedProject) -> None:
    linted.write({"tasks.py": CLEAN})
    done = linted.run("lint", "tasks.py", "nowhere")
    assert done.returncode == 2
    assert "'nowhere' does not exist" in done.stderr


def test_findings_outside_the_working_directory_are_named_so_that_they_are_found(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    other = linted.room / "other"
    other.mkdir()
    for argument in (linted.directory, Path("..") / "project", linted.directory / "tasks.py"):
        paths = {finding["path"] for finding in linted.report(argument, cwd=other)["findings"]}
        assert len(paths) == 1
        (path,) = paths
        assert (other / path).resolve() == linted.directory / "tasks.py"


def test_suppressions_need_code_and_reason_and_are_told_when_unused(linted: LintedProject) -> None:
    task = "\n\n@app.task(soft_time_limit=50)\ndef charge(order: int) -> None: ...{comment}\n"
    found = {}
    for name, comment in {
        "reason": "  # safecelery: ignore[SFC401] the pool enforces one",
        "bare": "  # safecelery: ignore[SFC401]",
        "everything": "  # safecelery: ignore",
        "unused": "  # safecelery: ignore[SFC401] the pool enforces one\nx = 1  # safecelery: ignore[SFC901] no longer",
    }.items():
        linted.write({"tasks.py": SAFE_APP + task.format(comment=comment)})
        report = linted.report()
        found[name] = (sorted(f["code"] for f in report["findings"]), len(report["suppressed"]))
    assert found["reason"] == ([], 1)
    assert found["bare"] == (["SFC003", "SFC401"], 0)
    assert found["everything"] == (["SFC003", "SFC401"], 0)
    assert found["unused"] == (["SFC004"], 1)


def test_explain_prints_a_page_and_checks_nothing(linted: LintedProject) -> None:
    linted.write({"broken.py": "import celery; ("})
    done = linted.run("lint", "--explain", "SFC401")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("SFC401 hard-time-limit-missing\n")
    assert linted.run("lint", "--explain", "hard-time-limit-missing").stdout == done.stdout
    assert linted.run("lint", "--explain", "SFC999").returncode == 2


@pytest.mark.parametrize("command", ["lint", "facts", "rules", "audit"])
def test_help_of_every_command_is_quick_and_complete(linted: LintedProject, command: str) -> None:
    done = linted.run(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: safecelery" in done.stdout
    assert "Examples:" in done.stdout


def test_facts_has_every_task_and_says_what_was_not_read(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    done = linted.run("facts")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines() if line.startswith("tasks.")] == [
        "tasks.charge",
        "tasks.refund",
    ]
    linted.write({"tasks.py": SHOP + "\n)\n"})
    broken = linted.run("facts")
    assert broken.returncode == 2
    assert "not read: tasks.py:15" in broken.stdout


def test_names_that_are_not_utf_8_are_reported_readably(linted: LintedProject) -> None:
    (linted.directory / os.fsdecode(b"t\xff\xe9.py")).write_text(SHOP)
    for form in ("full", "concise", "grouped", "json", "json-lines", "sarif", "github", "gitlab", "junit", "html"):
        done = linted.run("lint", "--format", form)
        assert done.returncode == 1, form
        assert "SFC401" in done.stdout
        done.stdout.encode()  # raises for anything that is not Unicode
