"""No bytes in any deployment file make a reader or a rule fail; and reading is never quadratic in practice."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safecelery.lint.deploy import read
from safecelery.policy import evaluate, load_policy

BASELINE = load_policy("baseline")
NAMES = [
    "Dockerfile", "docker-compose.yml", "deployment.yaml", "Procfile", "worker.service", "supervisord.conf",
    "entrypoint.sh", "requirements.txt", "pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "Pipfile.lock",
    "poetry.lock", "trust.toml", "worker.pem", "celerybeat-schedule",
]  # fmt: skip
PIECES = [
    "celery", " -A shop", " worker", " beat", " flower", " multi start", " -P", "=", " --time-limit", " 1e999", "$X",
    "${X:-", "${", "}", "$(", ")", "'", '"', "\\", "\n", "\\\n", "\t", "  ", "- ", ": ", ":", "[", "]", "{", "}", ",",
    "&a", "*a", "<<", "|", ">", "#", "{{", "}}", "{{- if .X }}", "services:\n  w:\n    command: ", "image: redis",
    "kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - command: ", "[Service]\nExecStart=",
    "[program:x]\ncommand=", "worker: ", "FROM python\nCMD ", "ENTRYPOINT ", "USER ", "<<EOF", "\x00", "\ufeff", "é",
    "celery==", "5.1", "<", "~=", "^", ";", "[[package]]\nname = \"celery\"\nversion = ", "-----BEGIN PRIVATE KEY-----",
    "sh -c ", "9" * 5000, "gosu ", "%(ENV_X)s", "%%", "amqp://a:b@c", "if ", "case x in\n", "fi", "-Q a,", "deploy:",
]  # fmt: skip


def judge(name: str, content: bytes, root: Path) -> None:
    path = root / name
    path.write_bytes(content)
    found = read([(name, str(path))])
    assert found.unread == []
    for fact in (*found.processes, *found.packages, *found.files):
        evaluate(fact, BASELINE, today=date(2025, 6, 15))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400).map(lambda raw: b"celery worker " + raw))
def test_any_bytes(name: str, content: bytes, tmp_path: Path) -> None:
    judge(name, content, tmp_path)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_mixture_of_what_the_readers_know(name: str, pieces: list[str], tmp_path: Path) -> None:
    judge(name, "".join(["celery", *pieces]).encode(), tmp_path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "text",
    [
        "${a:-" * 3000,
        "[" * 5000,
        "{" * 5000,
        "- " * 5000,
        "'" * 9999,
        "$(" * 5000,
        "a:\n" * 5000,
        "{{" * 5000,
        "<<a " * 3000,
    ],
    ids=lambda text: text[:5].strip(),
)
def test_what_nests_too_deeply(name: str, text: str, tmp_path: Path) -> None:
    judge(name, f"celery worker\nservices:\n  a: {text}".encode(), tmp_path)


@pytest.mark.parametrize(
    "name", ["docker-compose.yml", "entrypoint.sh", "Dockerfile", "requirements.txt", "worker.service"]
)
def test_a_large_file_is_read_in_bearable_time(name: str, tmp_path: Path) -> None:
    chance = random.Random(7)
    text = "celery" + "".join(chance.choice(PIECES) for _ in range(20_000))
    judge(name, text.encode(), tmp_path)


def test_a_file_that_cannot_be_opened_is_unread_and_not_fine(tmp_path: Path) -> None:
    found = read([("requirements.txt", str(tmp_path / "requirements.txt")), ("Dockerfile", str(tmp_path))])
    assert [(unread.path, unread.line) for unread in found.unread] == [("Dockerfile", 0), ("requirements.txt", 0)]
