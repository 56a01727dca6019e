"""Several processes that claim the same messages at the same moment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.contract.store_places import Place

__all__ = ["claims_of_processes"]

_ROOT = Path(__file__).resolve().parents[2]
#: Says "ready", waits for a line, then claims everything on its list.
_PROGRAM = """
import json, sys
from safecelery.stores import open_store
url, tls, names = json.loads(sys.argv[1])
store = open_store(url, tls)
store.ping()
print("ready", flush=True)
sys.stdin.readline()
answers = {n: type(store.claim(n, "p", lease_s=600, ttl_s=600, max_deliveries=3)).__name__ for n in names}
store.close()
print(json.dumps(answers))
"""


def claims_of_processes(place: Place, names: Sequence[str], processes: int) -> list[dict[str, str]]:
    """What each process was answered, by name of the message."""
    given = json.dumps([place.url, {key: _plain(value) for key, value in place.tls.items()}, list(names)])
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, given],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    found = []
    for child in children:
        with child:
            out, _ = child.communicate(timeout=60)
            assert child.returncode == 0
            found.append(json.loads(out))
    return found


def _plain(value: object) -> object:
    return int(value) if isinstance(value, int) else value
