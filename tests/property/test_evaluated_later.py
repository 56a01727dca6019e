"""What the interpreter evaluates only when somebody needs it is what it would have been at once.

But for a program that reads its environment and changes it afterwards: then the later value is taken.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecelery.lint.config import LintConfig
from safecelery.lint.engine import facts
from safecelery.lint.model.bearing import Bearing
from safecelery.lint.model.parts import Part

CELERY = "from celery import Celery\nimport os\napp = Celery('shop')\n"
FAR = """
LIMIT = 33
OTHER = 5
class Reply:
    ok = 8
    many = (1, 2)
def two(n=OTHER):
    return n * 2
def deco(f):
    return f
def deco_with(n):
    def inner(f):
        return f
    return inner
"""
"""Says nothing of Celery."""
SETUP = """
from shop.celery import app
def init(n, soft=2):
    app.conf.task_time_limit = n
    app.conf.task_soft_time_limit = soft
def log(name=None):
    return name
def make(name='x'):
    @app.task(name=name + '.made')
    def made(): ...
    return made
class Base(app.Task):
    max_retries = 7
"""
HEAD = """
import os, web
from celery import shared_task
from shop import far
from shop.celery import app
from shop.far import LIMIT, OTHER, Reply, deco, deco_with, two
from shop.setup import Base, init, log, make
x = y = z = 1
limits = [3]
"""
EXPRESSIONS = (
    "7", "x", "y", "z", "limits[0]", "LIMIT", "LIMIT + 1", "OTHER", "Reply.ok", "Reply.many[1]", "far.LIMIT",
    "far.Reply.ok", "two()", "two(3)", "log('q')", "web.value", "int(os.environ.get('Z', '4'))", "x + OTHER",
)  # fmt: skip
TASK_CLASS = """class T{n}(Base):
    name = 't{n}'
    time_limit = {a}
    autoretry_for = (ValueError, Reply.ok)
    def run(self): ...
app.register_task(T{n}())"""
NEW = ("p = {a}\n", "q = [{b}, Reply.ok]\nr = q[0]\n", "s = p + 1\n")
"""Names that had no value, so that these may wait."""
STATEMENTS = (
    "p = {a}", "q = [{b}]", "r = {a}",
    "x = {a}", "y = {a}", "z = {b}", "limits = [{a}, {b}]", "limits = ({a}, Reply.ok)", "z = [Reply.ok, LIMIT][0]",
    "@app.task(time_limit={a}, max_retries={b})\ndef t{n}(): ...",
    "@shared_task(soft_time_limit={a}, bind=True)\ndef t{n}(self): ...",
    "@web.route('/', reply={a})\n@app.task(time_limit={b})\ndef t{n}(): ...",
    "@app.task(time_limit={b})\n@web.route(Reply.ok)\ndef t{n}(): ...",
    "@deco\n@app.task(expires={a})\ndef t{n}(): ...",
    "@deco_with({a})\n@app.task\ndef t{n}(): ...",
    "router = web.Router()\n@router.get({a})\n@app.task(priority={b})\ndef t{n}(): ...",
    "web.run({a}, reply=Reply)", "web.run(init({a}))", "web.serve(c={a}, w=web.x(init({b})))", "init({a})",
    "app.conf.task_default_rate_limit = {a}", "app.conf.update(task_time_limit={a})",
    "def f{n}(n={a}, m={b}):\n    app.conf.task_soft_time_limit = n\n    return m\nf{n}()",
    "def g{n}(n={a}):\n    return n\nx = g{n}()",
    "log{n} = log(__name__)", "made{n} = make('m{n}')", "made{n} = make()",
    TASK_CLASS,
    "class C{n}:\n    a = {a}\n    b = a\n    a = {b}\nx = C{n}.b",
    "class D{n}:\n    a = x\n    b = y\nx = {a}\napp.conf.task_time_limit = D{n}.a",
    "if {a} > 5:\n    x = {b}\nelse:\n    x = 2",
    "for each in [Reply.ok, LIMIT]:\n    x = each",
    "def h{n}():\n    global x\n    x = {a}\nh{n}()",
    "try:\n    x = {a}\nexcept ValueError:\n    x = {b}",
    "class E{n}:\n    @property\n    def p(self):\n        return {a}\nx = E{n}().p",
    "class F{n}:\n    def __init__(self, v={a}):\n        self.v = v\nx = F{n}().v",
    "x, y = {a}, {b}", "x += 1", "limits.append({a})", "limits[0] = {a}", "table = {{'k': {a}}}\ny = table['k']",
    "last = lambda v={a}: v\nx = last()", "x = [each for each in (x, {a})][0]", "from shop.far import LIMIT as y",
    "x = y if {a} else z", "x = y or {a}", "del z\nz = {a}", "del p\np = {a}",
    "class G{n}:\n    a = p\ndel p\np = {a}\nx = G{n}.a",
)  # fmt: skip


@st.composite
def modules(draw: st.DrawFn, name: str) -> str:
    chosen = draw(st.lists(st.sampled_from(STATEMENTS), min_size=2, max_size=9))
    begun = [each.format(a=draw(st.sampled_from(EXPRESSIONS)), b=draw(st.sampled_from(EXPRESSIONS))) for each in NEW]
    expression = st.sampled_from((*EXPRESSIONS, "p", "q[0]", "r", "s", "p + r"))
    body = [each.format(a=draw(expression), b=draw(expression), n=f"{name}{n}") for n, each in enumerate(chosen)]
    return HEAD + "".join(begun) + "\n".join(body) + "\n"


projects = st.fixed_dictionaries({"shop/a.py": modules("a")}, optional={"shop/b.py": modules("b")})


def read(files: dict[str, str]) -> Any:
    """The document of facts; tasks of one place in any order."""
    with TemporaryDirectory() as folder:
        files = {"shop/__init__.py": "", "shop/celery.py": CELERY, "shop/far.py": FAR, "shop/setup.py": SETUP, **files}
        for path, text in files.items():
            file = Path(folder, path)
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        document = facts([folder], LintConfig(cache=False))
    document["tasks"].sort(key=lambda task: (task["file"], task["line"], task["name"]))
    return without_blockers(document)


def without_blockers(part: Any) -> Any:
    """Of what is not known, only that it is not: a name that nothing binds is told by whoever meets it."""
    if isinstance(part, dict):
        if part.get("state") == "unknown":
            return "unknown"
        return {key: without_blockers(value) for key, value in part.items()}
    return [without_blockers(each) for each in part] if isinstance(part, list) else part


@settings(max_examples=150, deadline=None)
@given(projects)
def test_what_is_evaluated_later_is_what_it_would_have_been_at_once(files: dict[str, str]) -> None:
    later = read(files)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Part, "may_wait", lambda self, frame: False)
        patch.setattr(Bearing, "acts", lambda self, part, frame: True)
        patch.setattr(Bearing, "call_key", lambda self, node, frame: None)
        at_once = read(files)
    assert later == at_once
