"""What a reader meets once: a fault with two rules, a setting with many tasks, an expression with many verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from safecelery.lint.config import LintConfig
from safecelery.lint.engine import lint
from safecelery.lint.finding import LintResult
from safecelery.lint.report import render
from safecelery.lint.report.options import RenderOptions

APP = 'from celery import Celery\n\napp = Celery("shop")\n'
TASKS = "".join(f"\n\n@app.task\ndef work_{number}() -> None: ...\n" for number in range(6))


def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> LintResult:
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        path = tmp_path / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return lint(["."], LintConfig(root=tmp_path, cache=False))


def lines_of(result: LintResult, code: str) -> list[str]:
    text = "".join(render("concise", result, RenderOptions()))
    return [line for line in text.splitlines() if f" {code} " in line]


class TestOneSetting:
    def test_tasks_that_say_nothing_are_one_line_where_the_app_is_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result = checked(tmp_path, monkeypatch, shop=APP + TASKS)
        assert len([finding for finding in result.findings if finding.code == "SFC401"]) == 6
        [line] = lines_of(result, "SFC401")
        assert line.startswith("shop.py:3:1: SFC401 error high: [*] each of 6 tasks has no hard time limit")

    def test_a_task_that_says_it_itself_is_a_line_of_its_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own = "\n\n@app.task(time_limit=90000)\ndef long() -> None: ...\n"
        result = checked(tmp_path, monkeypatch, shop=APP + "app.conf.task_time_limit = 80000\n" + TASKS + own)
        shown = lines_of(result, "SFC405")
        assert len(shown) == 2
        assert any("each of 6 tasks may run longer" in line and line.startswith("shop.py:4:") for line in shown)
        assert any("shop.long may run longer" in line for line in shown)

    def test_a_few_tasks_stay_lines_of_their_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        result = checked(
            tmp_path, monkeypatch, shop=APP + TASKS[: TASKS.index("def work_3")].rpartition("\n\n@")[0] + "\n"
        )
        assert len(lines_of(result, "SFC401")) == 3


class TestOneExpression:
    def test_it_is_one_open_verdict_for_all_that_it_blocks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = "import limits\n" + APP + "app.conf.task_time_limit = limits.read()\n" + TASKS
        result = checked(tmp_path, monkeypatch, shop=text)
        about = [finding for finding in result.undecided if any(code == "SFC401" for code, _, _ in finding.covers)]
        assert len(about) == 1
        assert {subject for _, subject, _ in about[0].covers} >= {f"shop.work_{number}" for number in range(6)}
        assert "6 tasks" in about[0].message
        assert about[0].line == 5

    def test_what_nobody_wrote_down_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        result = checked(tmp_path, monkeypatch, shop=APP + "app.conf.broker_url = 'amqps://shop@mq/'\n" + TASKS)
        assert result.undecided == ()

    def test_a_loopback_default_names_the_variable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        text = "import os\n" + APP + 'app.conf.broker_url = os.environ.get("MQ_URL", "redis://localhost")\n' + TASKS
        result = checked(tmp_path, monkeypatch, shop=text)
        assert [finding.blocked_by for finding in result.undecided] == ["environment variable MQ_URL"]
        assert not {"SFC201", "SFC206"} & {finding.code for finding in result.findings}


class TestOneFault:
    def test_without_tls_only_that_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        text = APP + 'app.conf.broker_url = "redis://:a-long-password@mq.internal/0"\n'
        result = checked(tmp_path, monkeypatch, shop=text)
        codes = {finding.code for finding in result.findings}
        assert "SFC201" in codes
        assert not codes & {"SFC202", "SFC203", "SFC204"}

    def test_where_the_first_voice_is_excused_the_second_speaks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = 'app.conf.broker_url = "redis://:a-long-password@mq.internal/0"'
        text = f"{APP}{url}  # safecelery: ignore[SFC201] the wire is a cable of our own\n"
        result = checked(tmp_path, monkeypatch, shop=text)
        assert "SFC202" in {finding.code for finding in result.findings}


class TestNamesOfTheProject:
    def test_a_setting_that_code_reads_is_known(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = 'CELERY_LOCK_SECONDS = 60\nCELERY_LOKC_SECONDS = 60\nCELERY_BROKER_URL = "amqps://shop@mq/"\n'
        code = "from django.conf import settings\n\nLOCK = settings.CELERY_LOCK_SECONDS\n"
        app = 'import os\nfrom celery import Celery\n\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config")\n'
        app += 'app = Celery("shop")\napp.config_from_object("django.conf:settings", namespace="CELERY")\n'
        result = checked(tmp_path, monkeypatch, config=settings, locks=code, shop=app)
        strange = [finding.message for finding in result.findings if finding.code == "SFC903"]
        assert len(strange) == 1
        assert "CELERY_LOKC_SECONDS" in strange[0]
        assert "CELERY_LOCK_SECONDS" not in strange[0]
