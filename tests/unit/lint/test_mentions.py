"""Plain text searches that spare a walk through the syntax."""

from __future__ import annotations

import pytest

from safecelery.lint.mentions import indented, lines_at, lines_of, may_configure

CONFIGURES = [
    "def f(app):\n    app.config_from_object('x')\n",
    "def f(app):\n    app.register_task(T())\n",
    "def f(app):\n    app.conf.task_time_limit = 3\n",
    "def f(app):\n    conf = app.conf\n",
    "def f(app):\n    return app.conf",
    "def f(app):\n    app.Task = Base\n",
    "def f(app):\n    @app.task(name='x')\n    def g(): ...\n",
    "class A:\n\tdef f(self):\n\t\t@shared_task\n\t\tdef g(): ...\n",
]
DOES_NOT = [
    "",
    "@shared_task\ndef f(): ...\n",
    "from x.configs import A\nsettings.confirmed = 1\n",
    "class A:\n    @property\n    def b(self): ...\n\ntask = 1\n",
    "x = a.Tasks\n",
]


@pytest.mark.parametrize("source", CONFIGURES)
def test_what_may_configure_an_app_is_seen(source: str) -> None:
    assert may_configure(source)


@pytest.mark.parametrize("source", DOES_NOT)
def test_what_cannot_is_not_walked(source: str) -> None:
    assert not may_configure(source)


def test_lines_are_in_order_and_told_once() -> None:
    assert lines_of("a b\n\nb a\nc\n", ("a", "b")) == [1, 3]
    assert lines_of("", ("a",)) == []


def test_indented_marks_are_those_behind_a_blank() -> None:
    assert list(indented("@a\n  @b\n\t@c\nx@d\n", "@")) == [5, 9]
    assert lines_at("@a\n  @b\n\t@c\n", indented("@a\n  @b\n\t@c\n", "@")) == [2, 3]
