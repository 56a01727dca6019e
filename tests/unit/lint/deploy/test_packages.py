"""Requirements in every form, what a lock file adds, and the versions with known holes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safecelery.lint.deploy.versions import bounds, requirement
from safecelery.policy.advisories import ADVISORIES
from safecelery.policy.facts import UNKNOWN, PackageFacts, Place
from safecelery.policy.rule import PASS, Fail, Undecided
from safecelery.policy.rules.packages import RULES
from tests.unit.lint.deploy.deploy_pages import deployment_of

HOLES = RULES[0].check


def package(text: str) -> PackageFacts:
    fact = requirement(text, Place("requirements.txt", 1))
    assert fact is not None
    return fact


@pytest.mark.parametrize(
    ("specifier", "exact", "lowest", "below"),
    [
        ("==5.2.1", (5, 2, 1), (5, 2, 1), UNKNOWN),
        ("==5.2.*", UNKNOWN, (5, 2), (5, 3)),
        ("~=5.1", UNKNOWN, (5, 1), (6,)),
        ("~=5.1.3", UNKNOWN, (5, 1, 3), (5, 2)),
        (">=5,<5.3,!=5.2", UNKNOWN, (5,), (5, 3)),
        ("<=5.2.1", UNKNOWN, UNKNOWN, (5, 2, 1, 1)),
        ("^5.2", UNKNOWN, (5, 2), (6,)),
        ("^0.3.1", UNKNOWN, (0, 3, 1), (0, 4)),
        ("~5.2", UNKNOWN, (5, 2), (5, 3)),
        ("*", UNKNOWN, UNKNOWN, UNKNOWN),
        ("==5.0.0rc1", (5, 0, 0), (5, 0, 0), UNKNOWN),
        ("^1 || ^2", UNKNOWN, UNKNOWN, UNKNOWN),
        ("", UNKNOWN, UNKNOWN, UNKNOWN),
    ],
)
def test_what_a_specifier_admits(specifier: str, exact: Any, lowest: Any, below: Any) -> None:
    found = bounds(specifier)
    assert (found.exact, found.lowest, found.below) == (exact, lowest, below)


def test_a_requirement_with_everything() -> None:
    fact = package('Django_Celery.Results [a, B] >= 2.0 ; python_version < "3.12"  # why')
    assert (fact.name, fact.extras, fact.specifier) == ("django-celery-results", ("a", "b"), ">= 2.0")


@pytest.mark.parametrize("text", ["-r base.txt", "", "--hash=sha256:0", "celery=" + "=" * 900 + "(", "==5", "celery 5"])
def test_what_is_no_requirement(text: str) -> None:
    assert requirement(text, Place("x")) is None


LOCK = '[[package]]\nname = "celery"\nversion = "5.1.2"\n'


@pytest.mark.parametrize(
    ("name", "text", "line", "specifier"),
    [
        ("requirements/base.txt", "a\ncelery==5.1.2 \\\n  --hash=sha256:00\n", 2, "==5.1.2"),
        ("constraints.txt", "celery==5.1.2", 1, "==5.1.2"),
        ("pyproject.toml", '[project]\nname="x"\ndependencies = [\n  "celery[redis]~=5.1",\n]\n', 4, "~=5.1"),
        ("pyproject.toml", '[dependency-groups]\na = [\n"celery<5.2"]\n', 3, "<5.2"),
        ("pyproject.toml", '[tool.poetry.dependencies]\ncelery = {version="^5.1", extras=["redis"]}\n', 2, "^5.1"),
        ("setup.cfg", "[options]\ninstall_requires =\n    celery>=5,<5.2\n", 3, ">=5,<5.2"),
        ("setup.py", 'from setuptools import setup\nR = ["celery==5.1.2"]\nsetup(install_requires=R)\n', 2, "==5.1.2"),
        ("Pipfile", '[packages]\ncelery = "==5.1.2"\n', 2, "==5.1.2"),
        ("Pipfile.lock", '{\n  "default": {\n    "celery": {\n      "version": "==5.1.2"\n    }\n  }\n}', 3, "==5.1.2"),
        ("poetry.lock", LOCK, 2, "==5.1.2"),
        ("uv.lock", LOCK, 2, "==5.1.2"),
        ("pdm.lock", LOCK, 2, "==5.1.2"),
    ],
)
def test_every_file_that_names_packages(name: str, text: str, line: int, specifier: str, tmp_path: Path) -> None:
    (fact,) = deployment_of({name: text}, tmp_path).packages
    assert (fact.name, fact.where, fact.specifier) == ("celery", Place(name, line), specifier)


def test_a_lock_file_counts_and_the_range_beside_or_below_it_does_not(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "uv.lock": LOCK,
        "pyproject.toml": '[project]\nname = "x"\ndependencies = ["celery>=5", "redis>=4"]\n',
        "sub/requirements.txt": "celery>=4\n",
    }
    found = deployment_of(files, tmp_path).packages
    assert [(fact.where.file, fact.name) for fact in found] == [("pyproject.toml", "redis"), ("uv.lock", "celery")]


@pytest.mark.parametrize(
    ("text", "holes"),
    [
        ("celery==5.2.1", ["CVE-2021-23727"]),
        ("celery==5.2.2", []),
        ("celery==2.2.7", ["CVE-2021-23727", "CVE-2011-4356"]),
        ("celery==2.2.8", ["CVE-2021-23727"]),
        ("celery<5.2.2", ["CVE-2021-23727"]),
        ("celery<5.2.3", []),
        ("celery>=4", []),
        ("celery", []),
        ("redis==4.3.6", ["CVE-2023-28859"]),
        ("redis==4.4.4", []),
        ("redis==4.5.3", ["CVE-2023-28859"]),
        ("redis==4.5.4", []),
        ("redis==4.1.4", []),
        ("flower==1.1.0", ["CVE-2022-30034"]),
        ("flower==1.2.0", []),
        ("flower==1.2", []),
        ("pyyaml==5.3", ["CVE-2020-1747", "CVE-2020-14343"]),
        ("django-celery-results==2.3.1", ["CVE-2020-17495"]),
        ("cryptography>=38,<39", ["CVE-2023-23931", "CVE-2023-49083", "CVE-2024-26130"]),
        ("unheard-of==1", []),
    ],
)
def test_versions_with_known_holes(text: str, holes: list[str]) -> None:
    verdict = HOLES(package(text), None)  # type: ignore[arg-type]  # no limit is asked for
    said = verdict.detail if isinstance(verdict, Fail) else ""
    assert [entry.id for entries in ADVISORIES.values() for entry in entries if entry.id in said] == holes
    assert (verdict is PASS) is (not holes)


def test_the_version_behind_a_url_is_not_guessed() -> None:
    verdict = HOLES(package("celery @ git+https://example/celery"), None)  # type: ignore[arg-type]
    assert isinstance(verdict, Undecided)


def test_every_range_of_an_advisory_is_one() -> None:
    for entries in ADVISORIES.values():
        for entry in entries:
            assert all(start < fixed for start, fixed in entry.affected), entry
