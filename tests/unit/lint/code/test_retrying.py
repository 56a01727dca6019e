"""What the detector says of the ways in which tasks retry themselves."""

from __future__ import annotations

import ast
from textwrap import dedent, indent

import pytest

from safecelery.lint.code import detect
from safecelery.lint.code.retrying import retry_sites


def sites(body: str, head: str = "@app.task(bind=True)\ndef charge(self, order_id):") -> list[tuple[str, bool]]:
    (function,) = ast.parse(f"{head}\n{indent(dedent(body), '    ')}").body
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    return [(str(site["kind"]), bool(site["certain"])) for site in retry_sites(function)]


CAREFUL = """
try:
    work()
except ConnectionError as error:
    raise self.retry(exc=error)
"""

SWALLOWED = {
    "broad": "try:\n    raise self.retry()\nexcept Exception:\n    log()",
    "bare": "try:\n    self.retry()\nexcept:\n    log()",
    "in a tuple": "try:\n    self.retry()\nexcept (ValueError, Exception):\n    log()",
    "after a narrow one": "try:\n    self.retry()\nexcept ValueError:\n    raise\nexcept Exception:\n    log()",
    "deep in the body": (
        "try:\n    if late():\n        for x in y:\n            self.retry()\nexcept Exception:\n    log()"
    ),
    "raised as another error": "try:\n    self.retry()\nexcept Exception as e:\n    raise Failed() from e",
    "from an inner handler": (
        "try:\n    try:\n        work()\n    except OSError as e:\n        raise self.retry(exc=e)\n"
        "except Exception:\n    log()"
    ),
    "suppressed": "with suppress(Exception):\n    self.retry()",
}


@pytest.mark.parametrize("body", SWALLOWED.values(), ids=SWALLOWED)
def test_a_retry_in_a_try_body_with_a_broad_handler_is_swallowed(body: str) -> None:
    assert sites(body) == [("retry-swallowed", True)]


KEPT = {
    "in the handler": CAREFUL,
    "narrow handler": "try:\n    self.retry()\nexcept OSError:\n    log()",
    "raised again": "try:\n    self.retry()\nexcept Exception:\n    log()\n    raise",
    "raised again by name": "try:\n    self.retry()\nexcept Exception as e:\n    raise e",
    "Retry first": "try:\n    self.retry()\nexcept Retry:\n    raise\nexcept Exception:\n    log()",
    "Retry asked for": "try:\n    self.retry()\nexcept Exception as e:\n    if isinstance(e, Retry):\n        raise\n",
    "in the else": "try:\n    work()\nexcept Exception:\n    log()\nelse:\n    self.retry()",
    "another object's": "try:\n    client.retry()\nexcept Exception:\n    log()",
    "in a nested function": "def later():\n    try:\n        self.retry()\n    except Exception:\n        log()",
}


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT)
def test_a_retry_that_reaches_the_worker_is_not(body: str) -> None:
    assert sites(body) == []


def test_a_handler_that_sometimes_raises_again_is_not_certain() -> None:
    body = "try:\n    self.retry()\nexcept Exception:\n    if strict:\n        raise\n    log()"
    assert sites(body) == [("retry-swallowed", False)]


@pytest.mark.parametrize(
    "call", ["self.retry()", "raise self.retry(countdown=wait())", "return self.retry(max_retries=3)"]
)
def test_a_retry_in_a_handler_says_why(call: str) -> None:
    assert sites(f"try:\n    work()\nexcept OSError as e:\n    {call}") == [("retry-without-exc", True)]


@pytest.mark.parametrize("call", ["self.retry(exc=e)", "self.retry((), {}, e)", "self.retry(**options)"])
def test_a_retry_that_passes_the_error_on_is_fine(call: str) -> None:
    assert sites(f"try:\n    work()\nexcept OSError as e:\n    raise {call}") == []


def test_outside_of_a_handler_there_is_no_error_to_pass_on() -> None:
    assert sites("if not ready():\n    raise self.retry()") == []


@pytest.mark.parametrize(
    "body",
    [
        "self.retry(throw=False)\nwork()",
        "if late():\n    self.retry(throw=False)\nwork()",
        "for x in y:\n    self.retry(throw=False)",
        "try:\n    self.retry(throw=False)\nfinally:\n    work()",
    ],
)
def test_a_task_that_goes_on_after_sending_its_retry(body: str) -> None:
    assert sites(body) == [("retry-goes-on", True)]


@pytest.mark.parametrize(
    "body",
    [
        "self.retry(throw=False)",
        "self.retry(throw=False)\nreturn 1",
        "if late():\n    self.retry(throw=False)\nelse:\n    work()",
        "if late():\n    return self.retry(throw=False)\nwork()",
        "self.retry(throw=True)\nwork()",
    ],
)
def test_a_task_that_ends_with_its_retry(body: str) -> None:
    assert sites(body) == []


@pytest.mark.parametrize(("countdown", "fixed"), [("60", True), ("60 * 5", True), ("wait", False), ("2 ** n", False)])
def test_a_constant_countdown_is_a_fixed_pace(countdown: str, fixed: bool) -> None:
    assert sites(f"raise self.retry(countdown={countdown})") == [("retry-fixed-countdown", True)] * fixed


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("Reject(e, requeue=True)", [("reject-requeue", True)]),
        ("exceptions.Reject(e, True)", [("reject-requeue", True)]),
        ("Reject(e, requeue=again)", [("reject-requeue", False)]),
        ("Reject(e, requeue=False)", []),
        ("Reject(e)", []),
    ],
)
def test_a_message_that_is_rejected_back(call: str, found: list[tuple[str, bool]]) -> None:
    assert sites(f"raise {call}") == found


@pytest.mark.parametrize(
    "head",
    [
        "@shared_task(bind=True)\ndef charge(task):",
        "@app.task\ndef task():",
        "def run(task, self):\n    current_task = task\n    task.retry(countdown=1) if 0 else 0\ndef task(self):",
    ],
)
def test_the_task_goes_by_its_own_name_its_first_parameter_or_current_task(head: str) -> None:
    function = ast.parse(f"{head}\n    task.retry(countdown=5)\n").body[-1]
    assert isinstance(function, ast.FunctionDef)
    assert [site["kind"] for site in retry_sites(function)] == ["retry-fixed-countdown"]


def test_places_count_from_one() -> None:
    (function,) = ast.parse("def charge(self):\n    self.retry(countdown=5)").body
    assert isinstance(function, ast.FunctionDef)
    (site,) = retry_sites(function)
    assert (site["line"], site["column"]) == (2, 5)
    assert site["detail"] == "self.retry with countdown=5"


def test_every_kind_of_statement_is_looked_into() -> None:
    body = (
        "match x:\n    case 1:\n        self.retry(countdown=1)\n"
        "async with a:\n    self.retry(countdown=2)\nwhile self.retry(countdown=3):\n    pass\n"
        "x = [self.retry(countdown=4) for _ in y]\n"
    )
    assert sites(body, "async def charge(self):") == [("retry-fixed-countdown", True)] * 4


def test_the_linter_meets_them_in_a_module() -> None:
    source = "@app.task(bind=True)\ndef charge(self):\n    x = 'é'; self.retry(countdown=5)\n"
    (site,) = [site for site in detect(ast.parse(source), source) if site["kind"].startswith("retry-")]
    assert (site["kind"], site["line"], site["column"]) == ("retry-fixed-countdown", 3, 14)


def test_code_nested_too_deeply_is_said_to_be_so() -> None:
    arms = "    if a: pass\n" + "    elif b: pass\n" * 2000
    source = f"@app.task(bind=True)\ndef charge(self):\n{arms}    else: self.retry()\n"
    sites = [site for site in detect(ast.parse(source), source) if site["kind"].startswith("retry-")]
    assert [(site["kind"], site["certain"]) for site in sites] == [("retry-swallowed", False)]
