"""Upstream is where ``SEAMS`` says it is and does what is assumed of it; each entry names ours that must follow."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import celery.concurrency
import kombu.compression
import pytest
from kombu.transport.native_delayed_delivery import _delay_prefix_re, calculate_routing_key

import safecelery
from safecelery.message.inflate import COMPRESSIONS
from safecelery.runtime.seams import SEAMS, Seam
from safecelery.runtime.startup import _POOLS

PACKAGE = Path(safecelery.__file__).parent
UPSTREAM = re.compile(r"^(?:from|import) (?:celery|kombu|amqp)\b", re.MULTILINE)


def resolve(target: str) -> Any:
    module, _, name = target.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = inspect.getattr_static(found, part) if inspect.isclass(found) else getattr(found, part)
    return found


def function(found: Any) -> Any:
    """What has source and parameters, below descriptors, cached properties and click commands."""
    for attribute in ("__func__", "fget", "callback", "func"):
        if not inspect.isfunction(found) and not inspect.isclass(found):
            found = getattr(found, attribute, None) or found
    return inspect.unwrap(found) if callable(found) else found


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("seam", SEAMS, ids=lambda seam: seam.target)
def test_a_seam_is_where_it_was(seam: Seam) -> None:
    found = function(resolve(seam.target))
    if seam.parameters:
        assert set(seam.parameters) <= inspect.signature(found).parameters.keys(), seam
    if seam.lines:
        source = squeezed(inspect.getsource(found))
        assert [line for line in seam.lines if squeezed(line) not in source] == [], seam


@pytest.mark.parametrize("seam", SEAMS, ids=lambda seam: seam.target)
def test_a_seam_names_the_place_that_uses_it(seam: Seam) -> None:
    file, _, name = seam.used.partition(":")
    assert re.search(rf"\b{name}\b", (PACKAGE / file).read_text()), seam
    assert seam.why


def test_no_seam_is_listed_twice() -> None:
    targets = [(seam.target, seam.used) for seam in SEAMS]
    assert len(targets) == len(set(targets))


def test_every_module_that_builds_on_upstream_is_in_the_table() -> None:
    """``testing`` talks to servers as any client would; ``bindings``, ``facts`` and ``ledger`` use public data only."""
    exempt = {
        "runtime/bindings.py",
        "runtime/facts.py",
        "runtime/ledger.py",
        "runtime/options.py",
        "runtime/guard.py",
        "runtime/reject.py",
        "runtime/park.py",
        "runtime/oversized.py",
        "brokers/memory.py",
    }
    touching = {
        str(path.relative_to(PACKAGE))
        for folder in ("runtime", "brokers")
        for path in (PACKAGE / folder).glob("*.py")
        if UPSTREAM.search(path.read_text())
    }
    assert touching - {seam.used.partition(":")[0] for seam in SEAMS} - exempt == set()


def test_the_pools_are_the_ones_celery_knows() -> None:
    known = {
        target: alias for alias, target in celery.concurrency.ALIASES.items() if alias not in ("processes", "custom")
    }
    assert known == _POOLS


def test_every_compression_of_kombu_can_be_undone_with_a_limit_or_is_refused() -> None:
    theirs = set(kombu.compression._aliases) | set(kombu.compression._aliases.values())
    assert theirs - set(COMPRESSIONS) <= {
        "br",
        "brotli",
        "zstd",
        "zstandard",
        "application/x-brotli",
        "application/zstd",
    }


def test_the_delay_prefix_is_what_celery_puts_in_front() -> None:
    assert _delay_prefix_re.sub("", calculate_routing_key(75, "orders.new"), count=1) == "orders.new"
