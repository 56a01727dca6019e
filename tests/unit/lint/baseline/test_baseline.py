"""The baseline: what is known, what is new, and a file that is never misread as empty."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safecelery.errors import LintError
from safecelery.lint.baseline import Comparison, Covered, Entry, compare, entry_of, read_baseline, write_baseline
from safecelery.lint.finding import Finding
from safecelery.policy import Level, Severity
from safecelery.policy.rules import BY_CODE


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "tasks.py").touch()
    return tmp_path


def a_finding(code: str = "SFC401", path: str = "shop/tasks.py", task: str = "charge", **changes: Any) -> Finding:
    module = path.removesuffix(".py").replace("/", ".")
    values: dict[str, Any] = {
        "code": code,
        "name": BY_CODE[code].name,
        "severity": Severity.HIGH,
        "level": Level.ERROR,
        "message": f"{module}.{task} has no hard time limit",
        "fix": "state one",
        "path": path,
        "line": 7,
        "subject": f"{module}.{task}",
    }
    return Finding(**(values | changes))


def entries(*findings: Finding, directory: Path | None = None) -> tuple[Entry, ...]:
    found = [entry_of(finding, directory or Path.cwd()) for finding in findings]
    return tuple(entry for entry in found if entry is not None)


def compared(findings: list[Finding], known: tuple[Entry, ...], *paths: str, **covered: Any) -> Comparison:
    seen = Covered(paths=tuple(map(Path, paths or (".",))), **({"codes": frozenset(BY_CODE)} | covered))
    return compare(findings, known, directory=Path.cwd(), covered=seen)


class TestFile:
    def test_has_one_entry_on_each_line_sorted_and_is_read_again(self, tree: Path) -> None:
        known = entries(a_finding(task="b"), a_finding(task="a"), a_finding(path="a/x.py", task="\u00e9\u2028"))
        write_baseline(tree / "known.json", known)
        text = (tree / "known.json").read_text(encoding="utf-8")
        lines = text.split("\n")
        assert lines[0] == '{"schema": 1, "findings": ['
        assert lines[-2:] == ["]}", ""]
        assert [line.startswith('{"code": "SFC401", ') for line in lines[1:4]] == [True] * 3
        assert read_baseline(tree / "known.json") == tuple(sorted(known))
        write_baseline(tree / "known.json", reversed(known))
        assert (tree / "known.json").read_text(encoding="utf-8") == text

    def test_may_be_empty(self, tree: Path) -> None:
        write_baseline(tree / "known.json", ())
        assert read_baseline(tree / "known.json") == ()

    def test_a_merge_that_took_both_sides_counts_an_entry_once(self, tree: Path) -> None:
        write_baseline(tree / "known.json", entries(a_finding()))
        first, entry, last = (tree / "known.json").read_text().split("\n", 2)
        (tree / "known.json").write_text(f"{first}\n{entry},\n{entry}\n{last}")
        assert read_baseline(tree / "known.json") == entries(a_finding())

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", ":1: not JSON"),
            ('{"schema": 1, "findings": [\n<<<<<<< HEAD\n]}', ":2: not JSON: .*a merge left its marks"),
            ("[]", ":1: not a baseline"),
            ('{"schema": 2, "findings": []}', '"schema" must be 1'),
            ('{"schema": 1, "findings": {}}', '"findings" a list'),
            ('{"schema": 1, "findings": [\n{"code": "SFC401"}\n]}', ":2: entry 1 is broken"),
            ("[" * 100_000, ":1: not JSON"),
        ],
    )
    def test_a_broken_one_is_an_error_with_file_and_line(self, tree: Path, text: str, said: str) -> None:
        (tree / "known.json").write_text(text)
        with pytest.raises(LintError, match=said) as caught:
            read_baseline(tree / "known.json")
        assert str(caught.value).startswith(f"{tree}/known.json")

    def test_the_line_of_a_broken_entry_is_named(self, tree: Path) -> None:
        write_baseline(tree / "known.json", entries(a_finding(task="a"), a_finding(task="b")))
        text = (tree / "known.json").read_text()
        (tree / "known.json").write_text(text.replace('"line": 7', '"line": "7"').replace('"7"', "7", 1))
        with pytest.raises(LintError, match=":3: entry 2 is broken"):
            read_baseline(tree / "known.json")

    def test_a_missing_one_is_an_error_that_says_how_to_write_it(self, tree: Path) -> None:
        with pytest.raises(LintError, match="--update-baseline"):
            read_baseline(tree / "known.json")
        with pytest.raises(LintError, match="cannot be written"):
            write_baseline(tree / "nowhere" / "known.json", ())

    @pytest.mark.parametrize("code", ["SFC001", "SFC002"])
    def test_open_verdicts_and_expired_waivers_never_go_in(self, code: str) -> None:
        assert entries(a_finding(code)) == ()
        result = compared([a_finding(code)], ())
        assert len(result.new) == 1
        assert result.updated == ()


class TestComparison:
    def test_a_finding_that_moved_within_its_file_is_known(self) -> None:
        result = compared([a_finding(line=99)], entries(a_finding()))
        assert (len(result.known), result.new, result.fixed) == (1, (), ())
        assert result.updated[0].line == 99

    def test_one_more_of_the_same_is_new(self) -> None:
        result = compared([a_finding(), a_finding(number=1)], entries(a_finding()))
        assert [finding.number for finding in result.new] == [1]

    def test_what_no_longer_occurs_is_fixed_and_dropped(self) -> None:
        known = entries(a_finding(), a_finding("SFC402"))
        result = compared([a_finding()], known)
        assert [entry.code for entry in result.fixed] == ["SFC402"]
        assert [entry.code for entry in result.updated] == ["SFC401"]

    @pytest.mark.parametrize(
        ("paths", "covered"),
        [
            (("other",), {}),
            (("shop/tasks.py.d",), {}),
            ((".",), {"codes": frozenset({"SFC402"})}),
            ((".",), {"unread": frozenset({"shop/tasks.py"})}),
        ],
    )
    def test_what_was_not_looked_for_is_kept(self, paths: tuple[str, ...], covered: dict[str, Any]) -> None:
        known = entries(a_finding())
        result = compared([], known, *paths, **covered)
        assert (result.fixed, result.updated) == ((), known)

    def test_the_directory_of_the_run_does_not_matter(self, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        known = entries(a_finding())
        monkeypatch.chdir(tree / "shop")
        here = replace(a_finding(), path="tasks.py")
        covered = Covered(paths=(Path("tasks.py"),), codes=frozenset(BY_CODE))
        result = compare([here], known, directory=tree, covered=covered)
        assert (len(result.known), result.fixed, result.updated) == (1, (), known)


class TestRenamedFiles:
    def test_are_recognised_with_their_modules_name(self) -> None:
        known = entries(a_finding(path="shop/jobs.py"), a_finding("SFC402", path="shop/jobs.py"))
        result = compared([a_finding()], known)
        assert (result.new, len(result.known), result.renamed) == ((), 1, (("shop/jobs.py", "shop/tasks.py"),))
        assert [entry.code for entry in result.fixed] == ["SFC402"]
        assert [entry.path for entry in result.updated] == ["shop/tasks.py"]

    def test_only_when_the_old_file_is_gone(self, tree: Path) -> None:
        (tree / "shop" / "jobs.py").touch()
        assert len(compared([a_finding()], entries(a_finding(path="shop/jobs.py"))).new) == 1

    def test_only_as_files_that_the_baseline_does_not_know(self) -> None:
        known = entries(a_finding(path="shop/jobs.py", task="b"), a_finding(task="a"))
        result = compared([a_finding(task="a"), a_finding(task="b")], known)
        assert [finding.subject for finding in result.new] == ["shop.tasks.b"]

    def test_an_entry_excuses_one_finding_only(self) -> None:
        known = entries(a_finding(path="shop/jobs.py"))
        result = compared([a_finding(), a_finding(number=1)], known)
        assert (len(result.known), len(result.new)) == (1, 1)

    def test_one_old_file_is_one_new_file(self) -> None:
        known = entries(a_finding(path="shop/jobs.py", task="a"), a_finding(path="shop/jobs.py", task="b"))
        found = [a_finding(path="x/one.py", task="a"), a_finding(task="a"), a_finding(task="b")]
        result = compared(found, known)
        assert result.renamed == (("shop/jobs.py", "shop/tasks.py"),)
        assert [finding.path for finding in result.new] == ["x/one.py"]
