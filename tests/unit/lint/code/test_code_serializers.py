"""The pages about serializers and signals in code are the detectors' tests; and what the detectors leave alone."""

from __future__ import annotations

import ast
import re

import pytest

from safecelery.lint.code import detect
from safecelery.policy.rules import BY_CODE
from safecelery.policy.shipped import shipped_directory
from tests.unit.policy.policy_builders import sections

FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODES = ["SFC110", "SFC111", "SFC112", "SFC113", "SFC114", "SFC115", "SFC116", "SFC416", "SFC417"]
TASK = "@app.task(time_limit=30, soft_time_limit=25)\n"


def kinds_of(source: str) -> list[str]:
    source = f"from celery import Celery\n\napp = Celery()\n\n{source}"
    return [site["kind"] for site in detect(ast.parse(source), source)]


def code_blocks(code: str, heading: str) -> list[str]:
    page = next((shipped_directory() / "rules").glob(f"{code}-*.md")).read_text(encoding="utf-8")
    return FENCED.findall(sections(page)[heading])


@pytest.mark.parametrize("code", CODES)
def test_each_bad_block_of_a_page_is_met_once_and_no_good_one(code: str) -> None:
    name = BY_CODE[code].name
    bad, good = code_blocks(code, "Bad"), code_blocks(code, "Good")
    assert bad
    assert good
    for block in bad:
        assert kinds_of(block).count(name) == 1, block
    for block in good:
        assert name not in kinds_of(block), block


@pytest.mark.parametrize(
    "source",
    [
        "from kombu.serialization import enable_insecure_serializers\nenable_insecure_serializers(['yaml'])\n",
        "from kombu.serialization import register\nregister('x', dumps, loads)\n",
        "import kombu\nimport yaml\nkombu.serialization.register('y', yaml.safe_dump, yaml.safe_load)\n",
        "app.setup_security(serializer=SERIALIZER)\n",
        f"import pickle\n\n{TASK}def f(key: str):\n    return pickle.loads(cache.get(key))\n",
        f"import pickle\n\n{TASK}def f(number: int):\n    return pickle.loads(number)\n",
        "import pickle\n\ndef f(text: str):\n    return pickle.loads(text)\n",
        f"import yaml\n\n{TASK}def f(text: str):\n    return yaml.load(text, Loader=yaml.SafeLoader)\n",
        f"import importlib\n\n{TASK}def f(text: str):\n    return importlib.import_module('shop')\n",
        f"import ast\n\n{TASK}def f(text: str):\n    return ast.literal_eval(text)\n",
        "import signal\nsignal.signal(signal.SIGUSR2, handler)\n",
        "limiter.time_limit('shop.charge')\n",
    ],
)
def test_what_runs_no_code_of_a_message_is_left_alone(source: str) -> None:
    met = set(kinds_of(source))
    assert not met & {BY_CODE[code].name for code in CODES}


def test_a_module_without_celery_may_take_the_signal() -> None:
    source = "import signal\nsignal.signal(signal.SIGUSR1, handler)\n"
    assert [site["kind"] for site in detect(ast.parse(source), source)] == []


@pytest.mark.parametrize("kind", ["eval", "exec"])
def test_a_text_made_of_an_argument_is_evaluated_too(kind: str) -> None:
    assert "task-evaluates-argument" in kinds_of(f"{TASK}def f(a: str):\n    b = f'x = {{a}}'\n    {kind}(b)\n")


def test_a_decoder_that_looks_at_a_signature_first_is_uncertain() -> None:
    source = (
        "import hmac, pickle\nfrom kombu.serialization import register\n\n\ndef loads(data):\n"
        "    if not hmac.compare_digest(data[:32], mac(data[32:])):\n        raise ValueError\n"
        "    return pickle.loads(data[32:])\n\n\nregister('signed-pickle', dumps, loads)\n"
    )
    (site,) = detect(ast.parse(source), source)
    assert (site["kind"], site["certain"]) == ("code-running-serializer-registered", False)
