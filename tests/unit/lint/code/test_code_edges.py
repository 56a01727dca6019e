"""Where each detector draws its line: sources next to each other, one that is such a place and one that is not."""

from __future__ import annotations

import ast
import textwrap

import pytest

from safecelery.lint.code import detect

TASK = "@app.task\ndef work(x, y: int = 1):\n"
RETRIED = "@app.task(autoretry_for=(OSError,))\ndef work(x):\n"


def met_in(body: str, head: str = TASK, above: str = "") -> dict[str, bool]:
    """Kind -> certain, of the sites in a task with this body."""
    source = textwrap.dedent(above) + head + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"
    return {site["kind"]: site["certain"] for site in detect(ast.parse(source), source)}


PLACES = [
    ("result-waited-in-task", "r = other.apply_async()\nr.wait()"),
    ("result-waited-in-task", "for r in [t.delay(i) for i in x]:\n    r.get()"),
    ("result-waited-in-task", "rs = []\nfor i in x:\n    rs.append(t.delay(i))\nprint([r.get() for r in rs])"),
    ("result-waited-in-task", "from celery.result import AsyncResult\nAsyncResult(x).get()"),
    ("dispatch-in-transaction", "with transaction.atomic(using='x'), lock():\n    if x:\n        t.delay(x)"),
    ("dispatch-in-transaction", "with Session.begin() as s:\n    t.delay(x)"),
    ("dispatch-before-commit", "db.session.add(x)\nif x:\n    t.delay(x.id)\ndb.session.commit()"),
    ("on-commit-late-binding", "for i in x:\n    pk = i.pk\n    on_commit(lambda: t.delay(pk))"),
    ("model-instance-as-argument", "for o in Order.objects.filter(a=1):\n    t.delay(o)"),
    ("model-instance-as-argument", "o, made = Order.objects.get_or_create(a=1)\nt.delay(order=o)"),
    ("model-instance-as-argument", "o = session.query(Order).filter_by(a=1).first()\nt.s(o)"),
    ("non-json-argument", "t.apply_async(kwargs=dict(a={1, 2}))"),
    ("non-json-argument", "app.send_task('t', [x for x in y], {'f': lambda: 1})"),
    ("secret-as-argument", "t.delay(x.db_password)"),
    ("secret-as-argument", "t.delay(x['api_key'])"),
    ("task-per-item", "for i in x:\n    if i:\n        t.delay(i)"),
    ("increment-and-save", "x.n = x.n - 1\nx.save()"),
    ("http-without-timeout", "import requests\nrequests.request('GET', x, timeout=None)"),
    ("http-without-timeout", "from urllib.request import urlopen\nurlopen(x)"),
    ("subprocess-without-timeout", "import subprocess\np = subprocess.Popen(['a'])\np.communicate()"),
    ("lock-without-timeout", "redis_client.set('a', 1, nx=True)"),
    ("lock-without-timeout", "redis_client.setnx('a', 1)"),
    ("endless-loop", "while 1:\n    for i in x:\n        break"),
    ("soft-limit-eaten", "while x:\n    try:\n        go(x)\n    except:\n        pass"),
    ("process-exit-in-task", "raise SystemExit(1)"),
    ("thread-outlives-task", "from threading import Thread\nThread(target=x).start()\nprint(', '.join(x))"),
    ("temporary-file-left", "from tempfile import mkdtemp\nd = mkdtemp()\nopen(d)"),
    ("large-result", "rows = Order.objects.filter(a=1)\nreturn list(rows)"),
    ("tls-verify-off", "import requests\ns = requests.Session()\ns.verify = False"),
    ("shell-with-argument", "import os\ncmd = 'ls %s' % x\nos.popen(cmd)"),
    ("shell-with-argument", "import subprocess\nsubprocess.Popen(' '.join(['a', x]), shell=True)"),
    ("naive-eta", "from datetime import datetime\nwhen = datetime.now()\nt.apply_async(eta=when)"),
]

NO_PLACES = [
    ("result-waited-in-task", "x.get()\n{}.get(x)\ncache.get(x)"),
    (
        "result-waited-in-task",
        "import celery.result as r\nwith r.allow_join_result():\n    t.delay().get()",
    ),
    ("result-waited-in-task", "t.delay().get(disable_sync_subtasks=False)"),
    ("result-waited-in-task", "r = t.delay()\nr = {}\nr.get()"),
    (
        "dispatch-in-transaction",
        "with atomic():\n    def later():\n        t.delay(x)\n    on_commit(later)",
    ),
    ("dispatch-in-transaction", "with lock():\n    t.delay(x)"),
    ("dispatch-before-commit", "session.add(x)\nsession.commit()\nt.delay(x.id)\nsession.commit()"),
    ("dispatch-before-commit", "if x:\n    session.add(x)\nelse:\n    t.delay(1)\n    session.commit()"),
    ("on-commit-late-binding", "for i in x:\n    on_commit(lambda i=i: t.delay(i))"),
    ("model-instance-as-argument", "o = Order.objects.get(pk=1)\nt.delay(o.pk)"),
    ("model-instance-as-argument", "for pk in Order.objects.values_list('pk', flat=True):\n    t.delay(pk)"),
    ("model-instance-as-argument", "for o in Order.objects.due():\n    t.delay(o)"),
    ("model-instance-as-argument", "n = session.query(Order.id).first()\nt.delay(n)"),
    ("non-json-argument", "t.delay(list({1, 2}), sorted(set(x)))"),
    ("secret-as-argument", "t.delay(x.password_reset_url, page_token=x, token_id=x.token, password=None)"),
    ("task-per-item", "for batch in x:\n    t.delay(batch)"),
    ("task-per-item", "for n, i in enumerate(x):\n    t.apply_async((i,), countdown=n)"),
    ("task-per-item", "for n in ('a', 'b'):\n    t.delay(n)"),
    ("endless-self-dispatch", "if x:\n    work.delay(x)"),
    ("endless-self-dispatch", "work.apply_async((x,), countdown=60)"),
    ("increment-and-save", "x.n = F('n') + 1\nx.save()"),
    ("increment-and-save", "x.n += 1\ny.save()"),
    ("increment-and-save", "x = Order.objects.select_for_update().get(pk=1)\nx.n += 1\nx.save()"),
    ("increment-and-save", "x.name += 'a'\nx.save()"),
    ("http-without-timeout", "import requests, socket\nsocket.setdefaulttimeout(5)\nrequests.get(x)"),
    ("http-without-timeout", "import httpx\nhttpx.get(x)"),
    ("lock-without-timeout", "redis_client.set('a', 1, nx=True, ex=5)"),
    ("lock-without-timeout", "redis_client.lock('a', 60)"),
    ("lock-without-timeout", "thread.lock('a')"),
    ("endless-loop", "while True:\n    if x:\n        return"),
    ("endless-loop", "while x:\n    go()"),
    ("soft-limit-eaten", "for i in x:\n    try:\n        go(i)\n    except Exception:\n        raise"),
    ("soft-limit-eaten", "for i in x:\n    try:\n        go(i)\n    except Exception:\n        log(i)\n    break"),
    ("soft-limit-eaten", "for i in x:\n    try:\n        int(i)\n    except Exception:\n        pass"),
    ("failure-swallowed", "go(x)\ngo(x)\ngo(x)\ngo(x)\ngo(x)\ntry:\n    tell()\nexcept Exception:\n    pass"),
    ("failure-swallowed", "try:\n    go(x)\nexcept Exception as e:\n    work.retry(exc=e)"),
    ("thread-outlives-task", "from threading import Thread\nt = Thread(target=x)\nt.start()\nt.join()"),
    ("temporary-file-left", "import os, tempfile\nh, p = tempfile.mkstemp()\nos.unlink(p)"),
    ("large-result", "return Order.objects.count()"),
    ("shell-with-argument", "import os\nos.system('ls')\nos.system(f'kill {y}')"),
    ("shell-with-argument", "import subprocess, shlex\nsubprocess.run('ls ' + shlex.quote(x), shell=True, timeout=5)"),
    ("naive-eta", "from datetime import datetime\nt.apply_async(eta=datetime.now(tz=zone))"),
    ("connection-per-call", "import redis\nredis.Redis(connection_pool=POOL)"),
    ("global-state-written", "seen = set()\nseen.add(x)"),
    ("mutable-default", "def inner(a=None): ..."),
]


@pytest.mark.parametrize(("kind", "body"), PLACES)
def test_is_such_a_place(kind: str, body: str) -> None:
    assert met_in(body).get(kind) is True


@pytest.mark.parametrize(("kind", "body"), NO_PLACES)
def test_is_no_such_place(kind: str, body: str) -> None:
    assert kind not in met_in(body)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("http-without-timeout", "import requests\nrequests.get(x, **y)"),
        ("http-without-timeout", "import requests\ns = requests.Session()\ns.mount('https://', A())\ns.get(x)"),
        ("http-without-timeout", "import requests\ns = requests.Session()\nprepare(s)\ns.get(x)"),
        ("socket-without-timeout", "import psycopg2\npsycopg2.connect(x)"),
        ("charge-without-key", "import stripe\nstripe.Charge.create(**x)"),
        ("temporary-file-left", "import tempfile\nd = tempfile.mkdtemp()\nreturn d"),
    ],
)
def test_what_may_hide_elsewhere_is_not_certain(kind: str, body: str) -> None:
    assert met_in(body).get(kind) is False


@pytest.mark.parametrize("call", ["Order.objects.create(a=x)", "Order.objects.bulk_create(x)"])
def test_rows_count_only_where_the_task_visibly_runs_again(call: str) -> None:
    assert "unguarded-create" in met_in(call, RETRIED)
    assert "unguarded-create" in met_in(call, "@app.task(acks_late=True)\ndef work(x):\n")
    assert "unguarded-create" in met_in(f"{call}\nself.retry()", "@app.task(bind=True)\ndef work(self, x):\n")
    assert "unguarded-create" not in met_in(call)
    assert "unguarded-create" not in met_in(f"if Order.objects.filter(a=x).exists():\n    return\n{call}", RETRIED)
    assert "unguarded-create" not in met_in(f"try:\n    {call}\nexcept IntegrityError:\n    pass", RETRIED)


def test_a_loop_that_chooses_between_tasks_is_one_place() -> None:
    source = TASK + "    for i in x:\n        if i:\n            a.delay(i)\n        else:\n            b.delay(i)\n"
    assert [s["line"] for s in detect(ast.parse(source), source) if s["kind"] == "task-per-item"] == [5]


def test_a_result_nobody_keeps_may_be_large() -> None:
    body = "return list(Order.objects.all())"
    assert "large-result" in met_in(body)
    assert "large-result" not in met_in(body, "@app.task(ignore_result=True)\ndef work(x):\n")


def test_containers_of_the_module_are_state() -> None:
    assert "global-state-written" in met_in("SEEN[x] = 1", above="SEEN = {}\n")
    assert "global-state-written" not in met_in("SEEN[x] = 1", above="SEEN = make()\n")


def test_the_first_parameter_of_a_bound_task_needs_no_type() -> None:
    assert "unvalidated-argument" not in met_in("pass", "@app.task(bind=True)\ndef work(this, x: int):\n")
    assert "unvalidated-argument" in met_in("pass", "@app.task\ndef work(this, x: int):\n")
    assert "unvalidated-argument" not in met_in("pass", "@app.task\ndef work(x: list[int], y: str | None):\n")
