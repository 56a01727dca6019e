"""What may be admitted, said a second time and in another way than safecelery says it."""

from __future__ import annotations

import bz2
import json
import lzma
import zlib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from tests.attacks.fuzz.layers import Mutant
from tests.attacks.keys import EVERYTHING, LIMITED, Keys

__all__ = ["Broken", "check_admitted"]

#: Celery's tasks that only run what they are given.
CANVAS = ("celery.map", "celery.starmap", "celery.chunks", "celery.group", "celery.chord", "celery.chain")
INFLATE = {
    None: lambda data: data,
    "application/x-gzip": zlib.decompress,
    "application/x-bz2": bz2.decompress,
    "application/x-lzma": lzma.decompress,
    "gzip": zlib.decompress,
}


class Broken(AssertionError):
    """The law does not hold."""


def check_admitted(mutant: Mutant, claims: bytes, body: bytes, originals: set[tuple[bytes, bytes]], keys: Keys) -> Any:
    """Somebody trusted signed exactly this, and was allowed to. Gives the claims.

    Raises:
        Broken: not so.
    """
    if (claims, body) not in originals and (claims, body) not in mutant.resigned:
        raise Broken("what nobody signed was admitted")
    read = json.loads(claims)
    if read["typ"] != "task":
        raise Broken(f"a {read['typ']} was admitted as a task")
    if read["aud"].get("queue", mutant.queue) != mutant.queue:
        raise Broken(f"meant for {read['aud']}, admitted on {mutant.queue}")
    limited = read["kid"] != keys.kid("full")
    if limited and (read["kid"] != keys.kid("limited") or mutant.queue != "orders"):
        raise Broken(f"key {read['kid']} on queue {mutant.queue}")
    granted = LIMITED if limited else EVERYTHING
    args, kwargs, embed = json.loads(INFLATE[read["cmp"]](body))
    top = read["hdr"]["task"]
    for task in (top, *_tasks([embed, *((args, kwargs) if top in CANVAS else ())])):
        if not isinstance(task, str) or not (task in CANVAS or any(fnmatchcase(task, grant) for grant in granted)):
            raise Broken(f"{task!r} of key {read['kid']}")
    retries = read["hdr"].get("retries", 0)
    if type(retries) is not int or not 0 <= retries <= 100 or not isinstance(read["hdr"]["id"], str):
        raise Broken("a retry count or an id that is none")
    return read


def _tasks(signature: Any) -> Iterator[Any]:
    """The task of a signature, and those of all that it leads to; arguments of ordinary tasks are only data."""
    if isinstance(signature, list):
        for item in signature:
            yield from _tasks(item)
    elif isinstance(signature, dict):
        named = signature.get("task")
        if isinstance(named, dict | list):
            yield from _tasks(named)  # what a map runs
        elif named is not None:  # a map of nothing fails, and runs nothing
            yield named
        canvas = isinstance(named, str) and named in CANVAS
        for name, value in signature.items():
            if name == "options" or canvas or name in _LEADS:
                yield from _tasks(value)


_LEADS = ("link", "link_error", "callbacks", "errbacks", "chain", "chord", "body", "header", "tasks")
