"""The file a result is kept in: who may have written it, what it may hold, and that no report shows it was there."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from safecelery.lint import engine, reuse
from safecelery.lint.config.model import OUTPUT_FORMATS
from safecelery.lint.finding import Because, Finding, LintResult
from safecelery.lint.report import render
from safecelery.lint.report.masking import masked_result
from safecelery.lint.reuse.entry import FINDING, RESULT, OddError, plain, result_from, result_to
from safecelery.lint.source.folder import read_own, write_own
from tests.unit.cli.lint_fakes import a_finding
from tests.unit.lint.reuse.kept_project import KeptProject


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeptProject:
    project = KeptProject(tmp_path / "project", tmp_path / "cache", monkeypatch)
    project.prepare()
    return project


def report(form: str, result: LintResult) -> str:
    return "".join(render(form, replace(result, seconds=1.0)))


@pytest.mark.parametrize("form", OUTPUT_FORMATS)
def test_every_report_is_the_same_byte_for_byte(project: KeptProject, form: str) -> None:
    project.run()
    kept = reuse.lint(project.paths, project.config())
    assert project.computed == 1
    assert report(form, kept) == report(form, engine.lint(project.paths, project.config(cache=False)))


def test_formats_share_a_result(project: KeptProject) -> None:
    project.run()
    project.options["output-format"] = "sarif"
    assert project.run()[1]


def test_nothing_is_kept_that_no_report_would_show(project: KeptProject) -> None:
    project.options["environment"] = {"DB_PASSWORD": "hunter4secret"}
    project.edit("shop/app.py", "app = ", "PASSWORD = 'hunter3secret'\napp = ")
    project.run()
    text = project.entry().read_text()
    assert "hunter" not in text
    assert "shop/app.py" in text
    assert project.entry().stat().st_mode & 0o777 == 0o600


def test_a_result_that_masking_changes_twice_is_not_kept(project: KeptProject) -> None:
    found = a_finding(message="token=" + "x " * 3000 + "redis://:a@b")
    result = LintResult(findings=(found,))
    project.monkeypatch.setattr("safecelery.lint.reuse.kept.masked_result", lambda r: replace(r, files=r.files + 1))
    project.monkeypatch.setattr(engine, "lint", lambda *_, basis, **__: setattr(basis, "complete", True) or result)
    project.run()
    assert not list((project.cache / "safecelery").glob("result-*"))


def kept(project: KeptProject) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(read_own(str(project.entry())))
    return document


def with_(project: KeptProject, **changes: Any) -> bytes:
    return json.dumps({**kept(project), **changes}).encode()


def with_result(project: KeptProject, **changes: Any) -> bytes:
    return with_(project, result={**kept(project)["result"], **changes})


def with_finding(project: KeptProject, name: str, value: object) -> bytes:
    findings = kept(project)["result"]["findings"]
    findings[0][list(FINDING).index(name)] = value
    return with_result(project, findings=findings)


#: What may stand in the file.
ODD: dict[str, Callable[[KeptProject], bytes]] = {
    "nothing": lambda p: b"",
    "no JSON": lambda p: b"{",
    "no text": lambda p: b"\xff\xfe",
    "cut off": lambda p: p.entry().read_bytes()[:-9],
    "deep": lambda p: b"[" * 100_000,
    "a list": lambda p: b"[]",
    "a part is missing": lambda p: json.dumps({"state": kept(p)["state"]}).encode(),
    "a part too many": lambda p: with_(p, more=1),
    "another state": lambda p: with_(p, state="0" * 64),
    "no stamps": lambda p: with_(p, stamps=[]),
    "an odd stamp": lambda p: with_(p, stamps={**kept(p)["stamps"], "/": [1, 2, 3]}),
    "a stamp of texts": lambda p: with_(p, stamps={**kept(p)["stamps"], "/": ["1", 2, 3, 4]}),
    "odd presence": lambda p: with_(p, present={"/": 1}),
    "no result": lambda p: with_(p, result=None),
    "unknown rule": lambda p: with_finding(p, "code", "SFC000"),
    "unknown level": lambda p: with_finding(p, "level", "loud"),
    "level of another type": lambda p: with_finding(p, "level", []),
    "unknown severity": lambda p: with_finding(p, "severity", None),
    "a number for a text": lambda p: with_finding(p, "message", 3),
    "a text for a number": lambda p: with_finding(p, "line", "3"),
    "a flag for a number": lambda p: with_finding(p, "line", True),
    "below zero": lambda p: with_finding(p, "line", -1),
    "a number for a flag": lambda p: with_finding(p, "fixable", 1),
    "an odd link": lambda p: with_finding(p, "because", [["a.py", 1]]),
    "an odd cause": lambda p: with_finding(p, "cause", {}),
    "an odd cover": lambda p: with_finding(p, "covers", [["SFC401", "", 3]]),
    "a short finding": lambda p: with_result(p, findings=[["SFC401"]]),
    "no findings": lambda p: with_result(p, findings=None),
    "an odd row": lambda p: with_result(p, tasks=[["a", "b", "c", "d"]]),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_file_is_computed_afresh_and_replaced(project: KeptProject, kind: str) -> None:
    first, _ = project.run()
    write_own(str(project.entry()), (ODD[kind](project),))
    assert project.run() == (first, False)
    assert project.run() == (first, True)


def as_others(path: Path, _: Path) -> None:
    os.chown(path, 12345, 12345)


def writable(path: Path, _: Path) -> None:
    path.chmod(0o666)


def linked(path: Path, beside: Path) -> None:
    path.rename(beside)
    path.symlink_to(beside)


def pipe(path: Path, _: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [as_others, writable, linked, pipe])
def test_a_file_that_is_not_ours_alone_is_not_believed(
    project: KeptProject, tmp_path: Path, change: Callable[[Path, Path], None]
) -> None:
    if change is as_others and os.getuid() != 0:
        pytest.skip("only root may give a file away")
    first, _ = project.run()
    path = project.entry()
    # It would be believed if it were ours: an empty result, otherwise right.
    write_own(str(path), (with_result(project, findings=[]),))
    assert project.run()[0] != first
    change(path, tmp_path / "beside")
    assert project.run() == (first, False)


def test_a_folder_that_others_may_write_to_is_not_used(project: KeptProject) -> None:
    first, _ = project.run()
    (project.cache / "safecelery").chmod(0o777)
    again, spared = project.run()
    assert not spared
    assert again.findings == first.findings
    assert any(note.startswith("no cache: ") for note in again.notes)


def test_every_part_of_a_result_is_kept() -> None:
    assert set(FINDING) == {part.name for part in fields(Finding)}
    assert set(RESULT) | {"unread", "seconds"} == {part.name for part in fields(LintResult)}


def test_a_finding_comes_back_as_it_was() -> None:
    finding = a_finding(
        because=(Because("a.py", 0, "x = 1"),), env=("A", "B"), covers=(("SFC401", "shop", "a.py"),), number=3,
        cause=Because("b.py", 7, "y"), rule="SFC401", blocked_by="env()", waived=True, reason="\udcff", fixable=True,
    )  # fmt: skip
    result = masked_result(LintResult(suppressed=(finding,), notes=("n",), rules=("SFC401",), files=3))
    assert result_from(json.loads(json.dumps(result_to(result), default=plain))) == result
    with pytest.raises(OddError):
        result_from({})
    with pytest.raises(TypeError):
        plain(object())


def test_a_name_of_the_file_says_nothing_of_the_question(project: KeptProject) -> None:
    project.run()
    assert re.fullmatch(r"result-[0-9a-f]{32}\.json", project.entry().name)
