"""What each format says, and where."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from safecelery.lint.finding import LintResult, TaskRow
from safecelery.lint.report import FORMATS, RenderOptions, render
from safecelery.lint.report.source import Sources
from safecelery.policy.document import Level
from tests.unit.lint.report.report_samples import finding, large_result, shop_result, write_sources


def text(name: str, result: LintResult, **options: object) -> str:
    return "".join(render(name, result, RenderOptions(**options)))  # type: ignore[arg-type]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(KeyError):
        render("yaml", LintResult())


def test_full_points_at_the_word_and_tells_the_way_out(tmp_path: Path) -> None:
    write_sources(tmp_path)
    said = text("full", shop_result(), base=str(tmp_path))
    block = said[said.index("error[SFC106]") :].split("\n\n")[0].splitlines()
    assert block[1] == " --> shop/tasks.py:8:14  task-overrides-serializer, high"
    assert block[3].index("serializer") == block[4].index("^")
    assert block[4].count("^") == len("serializer")
    assert block[-1].endswith("safecelery lint --explain SFC106")


@pytest.mark.parametrize(
    ("line", "column", "shown", "marked"),
    [
        ("\t\tapp.conf.x = 1", 3, "app.conf.x = 1", "app.conf.x"),
        ('name = "日本"; y = z', 16, 'name = "日本"; y = z', "="),
        ("x = 1", 99, "x = 1", ""),
        ('u = "redis://:pw@h"; v = 2', 22, 'u = "redis://:***@h"; v = 2', "v"),
    ],
)
def test_an_excerpt_marks_the_word_at_the_column(
    tmp_path: Path, line: str, column: int, shown: str, marked: str
) -> None:
    (tmp_path / "a.py").write_text(line + "\n", encoding="utf-8")
    excerpt = Sources(str(tmp_path)).excerpt("a.py", 1, column)
    assert excerpt is not None
    assert excerpt.text == shown
    assert excerpt.length == len(marked)


@pytest.mark.parametrize("path", ["missing.py", "folder", "a\0b", "\ud800.py", ""])
def test_a_file_that_cannot_be_quoted_is_passed_over(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    assert Sources(str(tmp_path)).excerpt(path, 1, 1) is None


def test_the_summary_groups_the_undecided_by_what_blocked_them() -> None:
    said = text("concise", large_result())
    assert re.search(r"\d+ verdicts could not be decided; what blocked them:\n +\d+  \S", said)


@pytest.mark.parametrize(
    ("result", "word"),
    [
        (LintResult(files=3), "passed: no findings in 0 tasks, 3 files"),
        (replace(shop_result(), unread=()), "failed: 4 errors and 1 warning in 4 tasks, 12 files"),
        (shop_result(), "incomplete: 4 errors and 1 warning in 4 tasks, 12 files"),
    ],
)
def test_the_summary_says_how_it_stands(result: LintResult, word: str) -> None:
    assert word in text("concise", result)


def test_statistics_count_by_rule_the_most_frequent_first() -> None:
    said = text("concise", large_result(), statistics=True).split("\n\n")[-1]
    counts = [int(line.split()[0]) for line in said.splitlines()]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == len(large_result().findings)


def test_github_shows_the_worst_first() -> None:
    said = text("github", replace(shop_result(), unread=())).splitlines()
    assert said[0].startswith("::error file=config/settings.py,line=3")
    assert said[-1].startswith("::warning ")


def test_sarif_says_what_was_not_decided_excused_or_read() -> None:
    run = json.loads(text("sarif", shop_result()))["runs"][0]
    kinds = [entry.get("kind", "fail") for entry in run["results"]]
    assert kinds == ["fail"] * 5 + ["open"] * 2 + ["fail"] * 2
    assert [entry["suppressions"][0]["kind"] for entry in run["results"] if "suppressions" in entry] == [
        "inSource",
        "external",
    ]
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert len(invocation["toolExecutionNotifications"]) == 1


def test_sarif_takes_the_help_from_the_rule_page() -> None:
    rules = json.loads(text("sarif", shop_result()))["runs"][0]["tool"]["driver"]["rules"]
    by_id = {rule["id"]: rule for rule in rules}
    assert by_id["SFC401"]["help"]["markdown"].startswith("# SFC401 hard-time-limit-missing")
    assert "external/cwe/cwe-400" in by_id["SFC401"]["properties"]["tags"]


def test_sarif_keeps_the_bytes_of_a_name_that_is_no_utf8() -> None:
    item = finding("SFC401", "t", "caf\udce9/a b.py", 1, "none is stated")
    result = json.loads(text("sarif", LintResult(findings=(item,))))["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "caf%E9/a%20b.py"


def test_every_cell_of_the_matrix_leads_to_its_finding() -> None:
    page = text("html", large_result())
    matrix = page[page.index('<table class="matrix"') :].partition("</table>")[0]
    targets = set(re.findall(r'href="#([fux]\d+)"', matrix))
    ids = set(re.findall(r' id="([fux]\d+)"', page))
    assert targets
    assert targets <= ids


def test_a_task_of_the_same_name_in_another_file_is_not_blamed() -> None:
    rows = tuple(TaskRow(name="tasks.add", path=path, line=1, app="") for path in ("a/tasks.py", "b/tasks.py"))
    item = finding("SFC401", "tasks.add", "b/tasks.py", 1, "none is stated", level=Level.ERROR)
    page = text("html", LintResult(findings=(item,), tasks=rows))
    broken = re.findall(r'<tr data-row="(\d)"[^>]*data-e="1"', page)
    assert broken == ["1"]


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    page = text("html", large_result())
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|@import|url\(", page)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_rendered_without_heavy_modules(name: str) -> None:
    code = (
        "import sys\nfrom safecelery.lint.report import render\nfrom safecelery.lint.finding import LintResult\n"
        f"''.join(render({name!r}, LintResult()))\n"
        "bad = {'celery', 'kombu', 'pydantic', 'cryptography', 'xml.etree.ElementTree', 'html'} & set(sys.modules)\n"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
