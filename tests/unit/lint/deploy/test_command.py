"""A command line of Celery is read as Celery reads it, whatever launches it."""

from __future__ import annotations

import pytest

from safecelery.lint.deploy.command import Invocation, find, runs_as
from safecelery.lint.deploy.environment import HOLE, Environment
from safecelery.lint.deploy.shell import commands, split


def started(line: str, **variables: str) -> Invocation:
    found = [
        invocation
        for command in commands(line, Environment(dict(variables)))
        if (invocation := find(command.words)) is not None
    ]
    assert len(found) == 1
    return found[0]


def test_long_and_short_options_and_flags_in_one_word() -> None:
    found = started("celery -A proj worker -linfo -P gevent -c 4 -EB --time-limit=300 -O fair -Q a,b -n name@%h")
    assert found.values == {
        "app": "proj", "loglevel": "info", "pool": "gevent", "concurrency": "4", "time-limit": "300",
        "optimization": "fair", "queues": "a,b", "hostname": "name@%h",
    }  # fmt: skip
    assert found.flags == {"task-events", "beat"}
    assert (found.unknown, found.stray) == ([], [])


@pytest.mark.parametrize(
    "line",
    [
        "celery worker -A proj",
        "python -m celery -A proj worker",
        "python3 manage.py celery worker",
        "uv run celery -A proj worker",
        "poetry run celery -A proj worker",
        "/usr/bin/dumb-init -- /venv/bin/celery -A proj worker",
        "exec newrelic-admin run-program celery --app=proj worker",
        "ddtrace-run opentelemetry-instrument celery -A proj worker",
        "watchmedo auto-restart --directory=./ --pattern='*.py' -- celery -A proj worker",
        "nautobot-server celery worker",
        "X=1 Y=2 exec celery -A proj worker",
        "if true; then celery -A proj worker; fi",
        "run() { celery -A proj worker; }",
        'case "$1" in\n  worker) celery -A proj worker ;;\nesac',
    ],
)
def test_launchers_and_both_orders(line: str) -> None:
    assert started(line).command == "worker"


@pytest.mark.parametrize(
    "line",
    [
        "celery -A proj inspect ping",
        "celery -A proj status",
        "echo Starting celery worker",
        'echo "celery -A proj worker"',
        "pgrep -f celery worker",
        "pip install celery worker",
        "docker exec x celery -A proj worker",
        "airflow celery worker",
        "# celery -A proj worker",
        "gunicorn -A celery worker",
        "python manage.py runserver",
        "chown celery worker",
        "",
    ],
)
def test_what_starts_no_celery(line: str) -> None:
    assert [find(command.words) for command in commands(line, Environment()) if find(command.words)] == []


def test_the_default_of_a_variable_is_taken_and_named() -> None:
    environment = Environment()
    (command,) = commands('celery -A proj worker -c "${WORKERS:-4}" -P ${POOL:-${OTHER:-solo}}', environment)
    found = find(command.words)
    assert found is not None
    assert (found.values["concurrency"], found.values["pool"]) == ("4", "solo")
    assert command.taken == {"WORKERS", "POOL", "OTHER"}


def test_a_variable_of_the_script_is_its_value_and_one_set_in_branches_is_unknown() -> None:
    text = 'POOL=threads\nif [ "$X" ]; then LEVEL=debug; else LEVEL=info; fi\ncelery worker -P $POOL -l $LEVEL'
    found = started(text)
    assert (found.values["pool"], found.values["loglevel"]) == ("threads", HOLE)


@pytest.mark.parametrize("tail", ["$OPTIONS", '"$@"', '"${EXTRA[@]}"', "$(options)", "`options`"])
def test_what_may_hold_any_options_makes_the_line_opaque(tail: str) -> None:
    assert started(f"celery -A proj worker {tail}").opaque


def test_an_unknown_value_of_an_option_leaves_the_others_known() -> None:
    found = started("celery -A proj worker --loglevel $LEVEL --pool solo")
    assert not found.opaque
    assert (found.values["loglevel"], found.values["pool"]) == (HOLE, "solo")


def test_unknown_options_and_stray_words_are_kept_apart() -> None:
    found = started("celery -A proj worker --maxtasksperchild=3 -Q a, b worker_prefetch_multiplier=1")
    assert (found.unknown, found.stray) == (["--maxtasksperchild"], ["b"])
    assert found.settings == {"worker_prefetch_multiplier": "1"}


def test_multi_knows_nodes_and_options_for_one_of_them() -> None:
    found = started("celery multi start w1 w2 -A proj --pidfile=/run/%n.pid --concurrency:w1=2 -Q:1-3 images -B:w1")
    assert (found.nodes, found.unknown) == (["w1", "w2"], [])
    assert found.values["concurrency"] == "2"


@pytest.mark.parametrize(
    "line", ["celery -A p flower --basic_auth=a:b", "flower --basic-auth=a:b", "celery flower --basic-auth=a:b"]
)
def test_flower_options_are_tornados(line: str) -> None:
    found = started(line)
    assert (found.command, found.values["basic-auth"], found.unknown) == ("flower", "a:b", [])


@pytest.mark.parametrize(
    ("line", "user"),
    [
        ("gosu shop celery worker", "shop"),
        ("su-exec 1000:1000 celery worker", "1000"),
        ("sudo -E -u shop celery worker", "shop"),
        ("setpriv --reuid=shop celery worker", "shop"),
        ("celery worker", None),
    ],
)
def test_the_user_a_launcher_switches_to(line: str, user: str | None) -> None:
    assert runs_as(split(line)) == user


def test_continued_lines_and_here_documents_keep_their_lines() -> None:
    text = "cat <<EOF > f\ncelery -A no worker\nEOF\n\nexec celery \\\n  -A proj \\\n  worker\n"
    found = [(command.line, find(command.words)) for command in commands(text, Environment())]
    lines = [line for line, invocation in found if invocation is not None]
    assert lines == [5]
