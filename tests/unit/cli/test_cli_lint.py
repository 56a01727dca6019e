"""``safecelery lint``: options, exit status, what is written where. What is found is the engine's business."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from safecelery.cli.lint.progress import Progress
from safecelery.errors import LintError
from safecelery.lint import engine
from safecelery.lint.finding import LintResult
from safecelery.policy.document import Level
from tests.unit.cli.lint_fakes import FakeEngine, a_finding, an_unread

Run = Callable[..., Result]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(engine, "lint", fake.lint)
    return fake


WARNING = a_finding(level=Level.WARN)
ERROR = a_finding()
OPEN = a_finding(code="SFC002", rule="SFC401")


@pytest.mark.parametrize(
    ("result", "words", "status"),
    [
        (LintResult(), [], 0),
        (LintResult(findings=(ERROR,)), [], 1),
        (LintResult(findings=(WARNING,)), [], 0),
        (LintResult(findings=(WARNING,)), ["--fail-on-warnings"], 1),
        (LintResult(), ["--fail-on-warnings"], 0),
        (LintResult(undecided=(OPEN,)), [], 0),
        (LintResult(undecided=(OPEN,)), ["--fail-on-undecided"], 1),
        (LintResult(suppressed=(ERROR,), baselined=(ERROR,)), [], 0),
        (LintResult(unread=(an_unread(),)), [], 2),
        (LintResult(findings=(ERROR,), unread=(an_unread(),)), [], 2),
        (LintResult(findings=(ERROR,)), ["--exit-zero"], 0),
        (LintResult(findings=(ERROR,), undecided=(OPEN,)), ["--exit-zero", "--fail-on-undecided"], 0),
        (LintResult(findings=(ERROR,), unread=(an_unread(),)), ["--exit-zero"], 2),
    ],
)
def test_the_exit_status_says_whether_it_is_clean_broken_or_unchecked(
    run: Run, fake: FakeEngine, result: LintResult, words: list[str], status: int
) -> None:
    fake.result = result
    assert run("lint", *words).exit_code == status


def test_the_default_is_the_current_directory_and_other_paths_must_exist(run: Run, fake: FakeEngine) -> None:
    run("lint")
    assert fake.asked[0][0] == (".",)
    refused = run("lint", "nowhere")
    assert refused.exit_code == 2
    assert "Path 'nowhere' does not exist" in refused.stderr
    assert len(fake.asked) == 1


def test_options_reach_the_engine_as_configuration(run: Run, fake: FakeEngine, room: Path) -> None:
    (room / "src").mkdir()
    result = run(
        "lint", "src", "--policy", "strict", "--select", "SFC4,SFC101", "--select", "early-acknowledgement",
        "--ignore", "SFC402", "--exclude", "vendor,build", "--include-tests", "--no-cache", "--fail-on-undecided",
        "--settings", "shop.settings", "--format", "concise",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    ((paths, config),) = fake.asked
    assert paths == ("src",)
    assert config.policy == "strict"
    assert config.select == ("SFC4", "SFC101", "early-acknowledgement")
    assert config.ignore == ("SFC402",)
    assert config.exclude == ("vendor", "build")
    assert config.settings == "shop.settings"
    assert (config.include_tests, config.cache, config.fail_on_undecided) == (True, False, True)
    assert config.output_format == "concise"


def test_the_command_line_wins_over_the_file_and_the_file_over_the_defaults(
    run: Run, fake: FakeEngine, room: Path
) -> None:
    (room / "pyproject.toml").write_text('[tool.safecelery]\npolicy = "strict"\nignore = ["SFC402"]\n')
    run("lint", "--policy", "migration")
    run("lint", "--isolated")
    (first, second) = (config for _, config in fake.asked)
    assert (first.policy, first.ignore) == ("migration", ("SFC402",))
    assert (second.policy, second.ignore) == ("baseline", ())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--policy", "stricct"], "did you mean 'strict'"),
        (["--select", "SFC4O1"], "SFC4O1"),
        (["--format", "xml"], "'xml' is not one of"),
        (["--selekt", "SFC4"], "No such option"),
        (["--update-baseline"], "name the file with --baseline"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["--explain", "SFC4o1"], "there is no rule 'SFC4o1'"),
    ],
)
def test_wrong_usage_is_a_sentence_and_exit_status_2(run: Run, fake: FakeEngine, words: list[str], said: str) -> None:
    result = run("lint", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert isinstance(result.exception, SystemExit)
    assert fake.asked == []


def test_an_engine_that_cannot_go_on_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> LintResult:
        raise LintError("the baseline is broken")

    monkeypatch.setattr(engine, "lint", fail)
    result = run("lint")
    assert (result.exit_code, result.stderr) == (2, "error: the baseline is broken\n")


def test_the_report_goes_to_a_file_and_nothing_to_the_terminal(run: Run, fake: FakeEngine, room: Path) -> None:
    fake.result = LintResult(findings=(a_finding(message="naïve \udcff"),))
    result = run("lint", "--format", "json", "--output-file", "lint.json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "SFC401" in json.dumps(json.loads((room / "lint.json").read_text(encoding="utf-8")))


def test_the_format_has_the_name_that_ruff_gives_it_too(run: Run, fake: FakeEngine) -> None:
    reports = [run("lint", option, "json") for option in ("--format", "--output-format")]
    assert json.loads(reports[0].stdout) == json.loads(reports[1].stdout)


def test_a_file_that_cannot_be_written_is_a_sentence(run: Run, fake: FakeEngine) -> None:
    result = run("lint", "--output-file", "no/such/directory/lint.json")
    assert result.exit_code == 2
    assert result.stderr == "error: no/such/directory/lint.json: No such file or directory\n"


def test_show_config_prints_every_key_with_its_origin_and_checks_nothing(run: Run, fake: FakeEngine) -> None:
    result = run("lint", "--show-config", "--policy", "strict")
    assert result.exit_code == 0
    assert 'policy = "strict"  # command line' in result.stdout.splitlines()
    assert fake.asked == []


def test_explain_shows_the_page_and_checks_nothing(run: Run, fake: FakeEngine) -> None:
    result = run("lint", "--explain", "SFC401")
    assert result.exit_code == 0
    assert result.stdout.startswith("SFC401 hard-time-limit-missing\n")
    assert result.stdout == run("rules", "SFC401").stdout
    assert fake.asked == []


def test_a_baseline_is_written_and_grows_only_by_what_is_found(run: Run, fake: FakeEngine, room: Path) -> None:
    (room / "shop").mkdir()
    (room / "shop" / "tasks.py").write_text("")
    fake.result = LintResult(findings=(ERROR,))
    written = run("lint", "--baseline", "known.json", "--update-baseline")
    assert written.exit_code == 0
    assert "1 known findings, 1 of them new, 0 fixed" in written.stderr
    assert fake.asked[0][1].baseline is None  # everything counts while it is written
    assert [entry["code"] for entry in json.loads((room / "known.json").read_text())["findings"]] == ["SFC401"]
    fake.result = LintResult()
    assert "0 known findings, 0 of them new, 1 fixed" in run(
        "lint", "--baseline", "known.json", "--update-baseline"
    ).stderr  # fmt: skip
    run("lint", "--baseline", "known.json")
    assert fake.asked[-1][1].baseline == room / "known.json"


def test_progress_is_for_terminals_only(run: Run, fake: FakeEngine) -> None:
    run("lint")
    assert fake.progress == [None]


def test_progress_waits_half_a_second_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("safecelery.cli.lint.progress.time.monotonic", lambda: now[0])
    stream = io.StringIO()
    progress = Progress(stream)
    now[0] += 0.4
    progress(1, 9)
    assert stream.getvalue() == ""
    now[0] += 0.2
    progress(2, 9)
    progress(3, 9)
    assert stream.getvalue() == "\rreading files: 2 of 9"
    progress.clear()
    progress.clear()
    assert stream.getvalue().endswith(f"\r{' ' * len('reading files: 2 of 9')}\r")


def python(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, *words], env=env, cwd=cwd, capture_output=True, text=True, check=False)


#: What takes long to import, or must not be needed to read code.
HEAVY = ("celery", "kombu", "pydantic", "cryptography", "redis", "django", "asyncio", "xml", "html", "multiprocessing",
         "unittest", "http", "email")  # fmt: skip


def test_linting_a_small_file_imports_nothing_heavy(room: Path) -> None:
    (room / "tasks.py").write_text("from celery import Celery\napp = Celery('shop')\n@app.task\ndef charge(): ...\n")
    code = (
        "import sys\nfrom safecelery.cli.main import safecelery\n"
        "try:\n    safecelery(['lint', 'tasks.py', '--format', 'concise'])\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    assert python("-c", code, cwd=room).stdout.endswith("HEAVY []\n")


BAD = "from celery import shared_task\n\n\n@shared_task(time_limit=30, ignore_results=True)\ndef charge(): ...\n"
MISSPELT = a_finding(
    code="SFC901",
    name="unknown-task-option",
    message="tasks.charge is declared with an option nobody reads ('ignore_results' (did you mean 'ignore_result'?))",
    path="tasks.py",
    line=4,
    subject="tasks.charge",
)


def test_diff_prints_what_fix_would_write_and_writes_nothing(run: Run, fake: FakeEngine, room: Path) -> None:
    (room / "tasks.py").write_text(BAD)
    fake.result = LintResult(findings=(MISSPELT,))
    result = run("lint", "--diff", "--unsafe-fixes")
    assert result.exit_code == 1
    assert "\n-@shared_task(time_limit=30, ignore_results=True)\n" in result.stdout
    assert "\n+@shared_task(time_limit=30, ignore_result=True)\n" in result.stdout
    assert "would fix 1 finding in 1 file (SFC901 1)" in result.stderr
    assert (room / "tasks.py").read_text() == BAD
    assert run("lint", "--diff", "--unsafe-fixes", "--exit-zero").exit_code == 0


def test_fix_writes_and_looks_again(run: Run, monkeypatch: pytest.MonkeyPatch, room: Path) -> None:
    (room / "tasks.py").write_text(BAD)
    results = iter([LintResult(findings=(MISSPELT,)), LintResult()])
    monkeypatch.setattr(engine, "lint", lambda *_, **__: next(results))
    result = run("lint", "--unsafe-fixes")
    assert (room / "tasks.py").read_text() == BAD.replace("ignore_results", "ignore_result")
    assert "fixed 1 finding in 1 file (SFC901 1)" in result.stderr
    assert result.exit_code == 0
    assert next(results, None) is None


def test_without_anything_to_fix_the_report_is_the_usual_one(run: Run, fake: FakeEngine) -> None:
    fake.result = LintResult(findings=(a_finding(code="SFC301", name="signing-off"),))
    result = run("lint", "--fix", "--format", "concise")
    assert result.exit_code == 1
    assert "nothing to fix" in result.stderr
    assert "SFC301" in result.stdout
    assert len(fake.asked) == 1
    assert run("lint", "--diff").exit_code == 0


def test_the_command_leaves_with_its_status_and_all_its_output(room: Path) -> None:
    shown = python("-m", "safecelery", "lint", "--show-config", cwd=room)
    assert (shown.returncode, shown.stdout.splitlines()[0]) == (0, "# configuration: defaults")
    refused = python("-m", "safecelery", "lint", "--policy", "stricct", cwd=room)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: --policy: there is no policy 'stricct' (did you mean 'strict'?)")
    assert "Traceback" not in refused.stderr
