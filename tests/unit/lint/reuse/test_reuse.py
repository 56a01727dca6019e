"""A result is reused only while everything it depends on is as it was: one change for each kind of dependency."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from safecelery.lint import engine, outcome
from safecelery.lint.reuse import basis as basis_module
from safecelery.lint.reuse.basis import Basis
from safecelery.lint.source.beside import Beside
from safecelery.lint.source.survey import survey
from tests.unit.lint.reuse.kept_project import KeptProject

Change = Callable[[KeptProject], object]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeptProject:
    project = KeptProject(tmp_path / "around" / "project", tmp_path / "cache", monkeypatch)
    project.prepare()
    return project


def tomorrow(project: KeptProject) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime(2999, 1, 1, tzinfo=UTC)

    project.monkeypatch.setattr(basis_module, "datetime", Later)
    project.monkeypatch.setattr(outcome, "datetime", Later)


def move(project: KeptProject, old: str, new: str) -> None:
    (project.root / old).rename(project.root / new)


def above(project: KeptProject) -> None:
    """The folder turns out to lie in a package, whose other files imports may lead to."""
    (project.root / "__init__.py").touch()
    (project.root.parent / "__init__.py").touch()


def option(name: str, value: object) -> Change:
    return lambda project: project.options.update({name: value})


#: Every kind of dependency. What each changes need not show in this project: it must be looked at again.
CHANGES: dict[str, Change] = {
    "a module": lambda p: p.write("shop/tasks.py", "from celery import shared_task\n@shared_task\ndef other(): ...\n"),
    "same size and time": lambda p: p.edit("shop/tasks.py", "def charge", "def cHarge"),
    "a module that is only imported": lambda p: p.edit("shop/limits.py", "SOFT = 5", "SOFT = 0"),
    "a test": lambda p: p.edit("tests/test_shop.py", "charge", "refund"),
    "a comment that excuses": lambda p: p.edit("shop/tasks.py", "ignore[SFC401]", "ignore[SFC402]"),
    "a new module": lambda p: p.write("shop/new.py", "from celery import shared_task\n@shared_task\ndef n(): ...\n"),
    "a new module that has no tasks": lambda p: p.write("shop/new.py", "x = 1\n"),
    "a module is gone": lambda p: (p.root / "shop/tasks.py").unlink(),
    "a module has another name": lambda p: move(p, "shop/tasks.py", "shop/jobs.py"),
    "a folder has another name": lambda p: move(p, "shop", "store"),
    "two modules change places": lambda p: (
        move(p, "shop/tasks.py", "x"), move(p, "shop/app.py", "shop/tasks.py"), move(p, "x", "shop/app.py")),
    "a module in the baseline has another name": lambda p: move(p, "shop/more.py", "shop/most.py"),
    "a link leads elsewhere": lambda p: (
        (p.root / "shop/linked.py").unlink(), (p.root / "shop/linked.py").symlink_to("app.py")),
    "a link leads out of the tree": lambda p: (p.root / "out").symlink_to(p.root.parent),
    "a module nobody may read": lambda p: (p.root / "shop/limits.py").chmod(0),
    "a Dockerfile": lambda p: p.edit("Dockerfile", "--pool solo", "--pool prefork"),
    "a Compose file": lambda p: p.edit("compose.yml", "app beat", "app worker"),
    "a new deployment file": lambda p: p.write("Procfile", "worker: celery -A shop.app worker -P gevent\n"),
    "requirements": lambda p: p.edit("requirements.txt", "5.2.0", "5.5.2"),
    "the mode of a private key": lambda p: (p.root / "keys/prod.pem").chmod(0o640),
    "what Git tracks": lambda p: p.edit(".git/index", "keys/other.pem", "keys/prodx.pem"),
    "what Git ignores": lambda p: p.edit(".gitignore", "*.log", "*.pem"),
    "a new ignore file": lambda p: p.write("keys/.gitignore", "*.pem\n"),
    "no repository any more": lambda p: move(p, ".git", "git"),
    "the policy": lambda p: p.write("rules/mine.toml", 'name = "mine"\nextends = "strict"\n[rules]\n'),
    "what the policy extends": lambda p: p.edit("rules/below.toml", "migration", "baseline"),
    "the configuration file": lambda p: p.write("pyproject.toml", '[tool.safecelery]\npolicy = "strict"\n'),
    "another configuration file": lambda p: (
        move(p, "pyproject.toml", "old.toml"), p.write("safecelery.toml", '[lint]\nignore = ["SFC4"]\n')),
    "no baseline entries": lambda p: p.write("known.json", '{"schema": 1, "findings": []}'),
    "policy": option("policy", "strict"),
    "select": option("select", ["SFC4"]),
    "extend-select": option("extend-select", ["signing-off"]),
    "ignore": option("ignore", ["SFC401"]),
    "exclude": option("exclude", ["more.py"]),
    "include-tests": option("include-tests", True),
    "per-file-ignores": option("per-file-ignores", {"shop/*": ["SFC4"]}),
    "settings": option("settings", "shop.settings"),
    "environment": option("environment", {"LIMIT": "5"}),
    "celery": option("celery", "4.4"),
    "paths": lambda p: p.paths.__setitem__(0, "shop"),
    "one path more": lambda p: p.paths.append("shop"),
    "the same paths, as one writes them": lambda p: p.paths.__setitem__(0, str(p.root)),
    "the working directory": lambda p: (p.monkeypatch.chdir("shop"), p.paths.__setitem__(0, "..")),
    "a package around": above,
    "the day": tomorrow,
    "the version": lambda p: p.monkeypatch.setattr(basis_module, "__version__", "0.0.0"),
    "the form": lambda p: p.monkeypatch.setattr(basis_module, "RESULT_VERSION", 0),
    "Python": lambda p: p.monkeypatch.setattr(sys, "version", "3.99"),
    "the linter's code": lambda p: p.monkeypatch.setattr(basis_module, "_PACKAGE", p.root),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_after_a_change_the_result_is_that_of_a_fresh_run(project: KeptProject, kind: str) -> None:
    first, spared = project.run()
    assert not spared
    assert project.run() == (first, True)
    CHANGES[kind](project)
    changed, spared = project.run()
    assert not spared
    assert changed == project.fresh()


def test_the_project_of_these_tests_has_findings_of_every_sort(project: KeptProject) -> None:
    found, _ = project.run()
    assert {finding.path for finding in found.findings} >= {"shop/tasks.py", "Dockerfile", "keys/prod.pem"}
    assert found.suppressed
    assert {finding.path for finding in found.baselined} == {"shop/more.py"}
    assert found.tasks
    assert not found.unread


@pytest.mark.parametrize("back", [".git", "shop/tasks.py"])
def test_what_is_put_back_is_looked_at_again(project: KeptProject, back: str) -> None:
    first, _ = project.run()
    move(project, back, "away")
    assert project.run() == (project.fresh(), False)
    move(project, "away", back)
    assert project.run()[0] == first == project.fresh()


#: What makes a result hold for one run only.
UNKEPT: dict[str, Change] = {
    "a file that cannot be parsed": lambda p: p.write("shop/bad.py", "import celery\ncelery = = 1\n"),
    "a key whose expiry is counted in seconds": lambda p: p.write(
        "trust.toml", '[keys.a]\nowner = "a"\nscheme = "ed25519"\nexpires = 2030-01-01T00:00:00Z\n'),
    "a file changed a moment ago": lambda p: p.monkeypatch.setattr(
        "safecelery.lint.source.cache._RACE_NS", 60_000_000_000),
    "a folder of the cache that others may write to": lambda p: (
        (p.cache / "safecelery").mkdir(parents=True), (p.cache / "safecelery").chmod(0o777)),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNKEPT)
def test_what_holds_for_one_run_is_not_kept(project: KeptProject, kind: str) -> None:
    UNKEPT[kind](project)
    first, _ = project.run()
    second, spared = project.run()
    assert not spared
    assert second == first
    assert not list((project.cache / "safecelery").glob("result-*"))


def test_a_file_that_changes_during_the_run_is_looked_at_again(project: KeptProject) -> None:
    real = engine.lint

    def meanwhile(*args: object, **kwargs: object) -> object:
        result = real(*args, **kwargs)  # type: ignore[arg-type]
        project.edit("shop/tasks.py", "def charge", "def cHarge")
        return result

    project.monkeypatch.setattr(engine, "lint", meanwhile)
    project.run()
    project.monkeypatch.setattr(engine, "lint", real)
    assert project.run()[0] == project.fresh()


def test_no_stamp_stands_for_a_pipe(project: KeptProject) -> None:
    os.mkfifo("pipe.py")
    assert survey(["shop"]).stamped() is not None
    assert survey(["shop", "pipe.py"]).stamped() is None
    assert survey(["shop", "missing.py"]).stamped() is None
    beside = Beside()
    beside.note("pyproject.toml")
    assert beside.lasting
    beside.note("pipe.py")
    assert not beside.lasting


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The path of every file that is opened or asked about."""
    seen: set[str] = set()
    stat, open_ = os.stat, os.open

    def note(path: object) -> None:
        if isinstance(path, str | os.PathLike):
            seen.add(str(Path(path).absolute()))

    def watching_stat(path: object, *args: object, **kwargs: object) -> os.stat_result:
        note(path)
        return stat(path, *args, **kwargs)  # type: ignore[arg-type]

    hook = [True]
    sys.addaudithook(lambda event, args: note(args[0]) if hook[0] and event in ("open", "os.listdir") else None)
    monkeypatch.setattr(os, "stat", watching_stat)
    yield seen
    hook[0] = False  # a hook cannot be taken away
    assert os.open is open_


def test_nothing_is_looked_at_that_the_result_is_not_said_to_depend_on(
    project: KeptProject, looked_at: set[str]
) -> None:
    basis, config = Basis(survey(project.paths)), project.config(cache=False)
    looked_at.clear()
    engine.lint(project.paths, config, basis=basis)
    found = basis.surveyed.found
    known = {file.absolute for file in (*found.python, *found.others, *basis.surveyed.around)}
    known |= {*found.roots, *basis.beside.stamps, *basis.beside.present}
    ours = {path for path in looked_at if path.startswith(str(project.root.parent))}
    assert str(project.root / ".git/index") in ours
    assert sorted(ours - known) == []
