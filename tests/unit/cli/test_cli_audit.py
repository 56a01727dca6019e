"""``safecelery audit`` as a command: a live app in a process of its own, reports, comparison, refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SHOP = """
from celery import Celery

print("hello from the project")
app = Celery("shop", broker="redis://:hunter2@broker.example/0")


@app.task(time_limit=30)
def add(x): ...
"""

#: The command, with a source side that says what the test wants.
WITH_SOURCE = """
import json, sys
from safecelery.lint import engine
document = json.loads(sys.argv.pop(1))
engine.facts = lambda paths, config: document
from safecelery.cli.main import main
main()
"""

Audit = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def audit(room: Path) -> Audit:
    (room / "shop.py").write_text(SHOP)

    def run(*words: str, source: object = None) -> subprocess.CompletedProcess[str]:
        env = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": os.pathsep.join(sys.path)}
        front = ["-m", "safecelery"] if source is None else ["-c", WITH_SOURCE, json.dumps(source)]
        return subprocess.run(
            [sys.executable, *front, "audit", *words], cwd=room, env=env, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    return run


def test_the_report_is_the_linters(audit: Audit) -> None:
    done = audit("-A", "shop", "--format", "concise", "--select", "SFC402,SFC201")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "shop.py:8" in done.stdout
    assert "SFC402" in done.stdout
    assert "SFC201" in done.stdout
    assert "SFC501" not in done.stdout
    assert "hunter2" not in done.stdout + done.stderr
    assert "hello from the project" not in done.stdout


def test_json_on_standard_output_is_json(audit: Audit) -> None:
    json.loads(audit("-A", "shop", "--format", "json").stdout)
    sarif = json.loads(audit("-A", "shop", "--format", "sarif").stdout)
    assert sarif["version"] == "2.1.0"


@pytest.mark.parametrize(
    ("words", "status"),
    [(["--select", "SFC402", "--exit-zero"], 0), (["--select", "SFC402", "--policy", "migration"], 0),
     (["--select", "SFC402", "--policy", "migration", "--fail-on-warnings"], 1)],
)  # fmt: skip
def test_policy_and_options_decide_the_exit_status(audit: Audit, words: list[str], status: int) -> None:
    assert audit("-A", "shop", *words).returncode == status


def test_facts_have_the_form_of_the_facts_command(audit: Audit) -> None:
    document = json.loads(audit("-A", "shop", "--facts", "json").stdout)
    assert [(task["name"], task["file"], task["line"]) for task in document["tasks"]] == [("shop.add", "shop.py", 8)]
    table = audit("-A", "shop", "--facts", "table")
    assert table.returncode == 0
    assert "broker_url  redis://:***@broker.example/0" in table.stdout
    assert any(line.split()[:3] == ["shop.add", "30", "-"] for line in table.stdout.splitlines())


def source(hard: object, state: str = "known") -> dict[str, object]:
    value = {
        "state": state,
        "value": hard,
        "env": [],
        "because": [{"file": "shop.py", "line": 8, "what": "time_limit"}],
    }
    return {
        "schema": 1, "apps": [], "unparsed": [],
        "tasks": [{"name": "shop.add", "file": "shop.py", "line": 8, "app": "shop", "form": "decorator",
                   "options": {"time_limit_effective": value}, "unknown_options": []}],
    }  # fmt: skip


def test_compare_finds_agreement(audit: Audit) -> None:
    done = audit("-A", "shop", "--compare", source=source(30))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 live tasks, 1 values: 1 agree, 0 differ")


def test_compare_fails_for_a_difference_and_shows_both_sides(audit: Audit) -> None:
    done = audit("-A", "shop", "--compare", source=source(60))
    assert done.returncode == 1
    assert done.stdout.startswith(
        "shop.add  shop.py:8\n  differs: time_limit_effective: source 60 (time_limit at shop.py:8), live 30\n"
    )
    document = json.loads(audit("-A", "shop", "--compare", "--format", "json", source=source(60)).stdout)
    assert document["differences"][0]["kind"] == "differs"


def test_compare_shows_what_source_leaves_open_without_failing(audit: Audit) -> None:
    done = audit("-A", "shop", "--compare", source=source(None, "unknown"))
    assert done.returncode == 0
    assert "  abstained: time_limit_effective: source cannot tell (time_limit at shop.py:8), live 30" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing option '-A'"),
        (["-A", "nowhere"], "error: -A nowhere: cannot be imported"),
        (["-A", "shop:nothing"], "error: -A shop:nothing: cannot be imported"),
        (["-A", "shop", "--policy", "stricct"], "did you mean 'strict'"),
        (["-A", "shop", "--workdir", "nowhere"], "nowhere"),
        (["-A", "shop", "--compare", "--format", "sarif"], "--compare prints a text (full) or json, not sarif"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_exit_status_2(audit: Audit, words: list[str], said: str) -> None:
    done = audit(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_another_directory_can_be_worked_in(audit: Audit, room: Path) -> None:
    (room / "inner").mkdir()
    (room / "shop.py").rename(room / "inner" / "shop.py")
    assert audit("-A", "shop", "--facts", "json").returncode == 2
    assert audit("-A", "shop", "--facts", "json", "--workdir", "inner").returncode == 0


@pytest.mark.parametrize("rule", ["SFC101", "SFC201", "SFC402", "SFC903"])
def test_any_one_rule_can_be_asked_for_alone(audit: Audit, rule: str) -> None:
    done = audit("-A", "shop", "--format", "concise", "--select", rule)
    assert "error:" not in done.stderr
    assert done.returncode == int(rule in ("SFC201", "SFC402"))
