"""A fault that rests on a default of the environment warns; one that does not stays an error."""

from __future__ import annotations

from pathlib import Path

from tests.unit.lint.project.readings import lint_of

APP = """\
import os
from celery import Celery

app = Celery("shop", broker=os.environ.get("BROKER", "rediss://broker/0"))
app.conf.accept_content = ["json", "pickle"]
app.conf.task_time_limit = int(os.environ.get("LIMIT", "43200"))


@app.task
def pay() -> None: ...
"""


def test_a_fixed_sentence_that_says_broker_is_not_about_the_brokers_variable(tmp_path: Path) -> None:
    found = {item.code: item for item in lint_of(tmp_path, {"shop.py": APP}).findings}
    pickle = found["SFC108"]
    assert "write to the broker" in pickle.message
    assert (str(pickle.level), pickle.env, pickle.line) == ("error", (), 5)
    limit = found["SFC405"]
    assert (str(limit.level), limit.env) == ("warn", ("LIMIT",))


def test_a_broker_that_is_only_a_default_is_one_in_every_rule_about_it(tmp_path: Path) -> None:
    app = (
        'import os\nfrom celery import Celery\napp = Celery("o", broker=os.environ.get("BROKER", "redis://redis/0"))\n'
    )
    found = {item.code: item for item in lint_of(tmp_path, {"shop.py": app}).findings}
    for code in ("SFC201", "SFC205"):
        assert (str(found[code].level), found[code].env) == ("warn", ("BROKER",)), code
