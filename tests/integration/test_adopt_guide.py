"""The adoption guide, replayed word for word on the project it is about."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from safecelery.testing.servers import RedisServer
from tests.conftest import missing
from tests.integration.guide_replay import Replay, Section, read_guide

pytest.importorskip("django")
pytestmark = pytest.mark.redis

ROOT = Path(__file__).resolve().parents[2]
GUIDE = read_guide(ROOT / "docs" / "guides" / "adopt.md")
READY = [section for section in GUIDE if not section.waits]


@pytest.fixture(scope="module")
def replay(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    """The project as it is in ``examples``, in a repository of its own, with nothing of the guide done."""
    if shutil.which("git") is None:
        missing("git is not installed")
    home = tmp_path_factory.mktemp("adopt")
    shutil.copytree(ROOT / "examples" / "bookshop", home / "bookshop")
    tools = Path(sys.executable).parent
    environment = {
        "PATH": os.pathsep.join([str(tools), os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "REDIS_URL": redis_server.url_for(42),
        "REDIS_CA": str(redis_server.ca_file),
        "C_FORCE_ROOT": "1",  # where the tests run as root, plain Celery does not start with pickle, and is right
        "GIT_CONFIG_GLOBAL": "/dev/null",
        **{f"GIT_{who}_{what}": "shop@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    made = Replay(home / "bookshop", environment)
    made.shell("git init -q && git add -A && git commit -qm 'the bookshop'")
    yield made
    made.stop()


def through(replay: Replay, section: Section) -> None:
    """Replay the guide up to this section."""
    for one in GUIDE[: GUIDE.index(section) + 1]:
        if one.title not in replay.done:
            replay.run(one)


def steps() -> list[object]:
    """Each section as a parameter; one that waits for something is expected to fail until that is there."""
    return [
        pytest.param(
            section,
            id=section.title.partition(".")[0].strip("# "),
            marks=[pytest.mark.xfail(reason=f"waits for {section.waits}", strict=True)] if section.waits else [],
        )
        for section in GUIDE
    ]


@pytest.mark.parametrize("section", steps())
def test_the_guide_does_what_it_says(replay: Replay, section: Section) -> None:
    through(replay, section)


def test_every_step_can_be_taken_back_and_a_plain_sender_is_served_again(replay: Replay) -> None:
    """Back to report mode by ``git revert``, and then to where it began, with a beat that still signs."""
    through(replay, READY[-1])
    back = [section.title for section in READY].index("Step 5. Report")
    commits = replay.shell("git log --format=%H").split()
    worker = "./run worker celery -A bookshop worker --concurrency 2 --loglevel INFO --logfile worker.log"
    replay.shell("git stash -q -u || true")
    for _ in range(len(READY) - 1 - back):
        replay.shell(f"git revert --no-edit {commits.pop(0)}")
    assert "FIREWALL__MODE=report" in (replay.project / "deploy" / "worker.env").read_text()
    replay.start("worker", worker)
    replay.shell("./run web python manage.py buy Again && ./run web python manage.py orders --until shipped")
    replay.shell("number=$(python manage.py orders | tail -n 1 | cut -d' ' -f1) && python manage.py refund $number")
    replay.shell("./run web python manage.py orders --until refunded")
    while len(commits) > 1:
        replay.shell(f"git revert --no-edit {commits.pop(0)}")
    assert replay.shell("git diff --stat $(git rev-list --max-parents=0 HEAD) HEAD") == ""
    replay.start("worker", worker)
    replay.shell("./run web python manage.py buy Begun && ./run web python manage.py orders --until shipped")
