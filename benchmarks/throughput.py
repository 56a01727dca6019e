"""Publish and consume rates: plain Celery, plain with late acks and limits, Celery's own ``auth``, and safecelery.

    python benchmarks/throughput.py [--results] [--tasks 2000] [--rounds 5] [--json]

One Redis on a unix socket (no TLS, so that the wire is the same for all), one prefork worker of two children at a time,
a no-op task with three arguments. The variants alternate within each round, in changing order, so that a slow moment of
the machine hits all of them. Printed are medians, and medians of the ratio to plain in the same round.

With ``--results`` the task returns its arguments, results are kept in the same Redis, and a process that did not send
the tasks reads them, one by one; a further variant encrypts bodies and results (AES-256-GCM).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import redis

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from safecelery.testing.processes import CeleryProcess  # noqa: E402
from safecelery.testing.servers import RedisServer  # noqa: E402

NAMES = {"plain + late acks + limits": "late", "safecelery, encrypted": "encrypted"}
Rates = dict[str, float]


@dataclass(frozen=True)
class Setup:
    """What is compared, and what is measured of each variant. The first variant is what the others are divided by."""

    variants: tuple[str, ...]
    measures: tuple[str, ...]
    results: bool

    def environment(self, variant: str, url: str, home: Path) -> dict[str, str]:
        """What the variant's processes get."""
        return {
            "BENCH_VARIANT": NAMES.get(variant, variant),
            "BENCH_RESULTS": "kept" if self.results else "",
            "BENCH_URL": url,
            "BENCH_DIR": str(home),
        }


IGNORED = Setup(("plain", "plain + late acks + limits", "auth", "safecelery"), ("publish", "consume"), results=False)
KEPT = Setup(
    ("plain", "plain + late acks + limits", "auth", "safecelery", "safecelery, encrypted"),
    ("publish", "consume", "read"),
    results=True,
)


def python(code: list[str], env: dict[str, str]) -> str:
    """Run a Python process of its own beside the service and return what it printed."""
    path = os.pathsep.join([str(HERE), *sys.path])
    answer = subprocess.run(
        [sys.executable, *code], cwd=HERE, env={**os.environ, "PYTHONPATH": path, **env}, capture_output=True, text=True
    )
    if answer.returncode:
        raise SystemExit(answer.stdout + answer.stderr)
    return answer.stdout


def measure(setup: Setup, variant: str, tasks: int, server: RedisServer, home: Path) -> Rates:
    """Send everything to a queue nobody reads, then let a worker that is ready empty it; then read what it answered."""
    env = setup.environment(variant, server.url, home)
    queue = f"bench-{env['BENCH_VARIANT']}"
    client = redis.Redis(unix_socket_path=str(server.socket))
    client.delete(queue)
    seconds = float(python(["-c", f"import service; print(service.publish({tasks}))"], env).split()[-1])
    client.rename(queue, "waiting")
    arguments = ["-c", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    worker = CeleryProcess("service", "worker", arguments, directory=home, env=env, name=env["BENCH_VARIANT"])
    with worker:
        total = client.llen("waiting")
        start = time.perf_counter()
        client.rename("waiting", queue)
        while client.llen(queue) or client.hlen("unacked") or client.hlen(f"safecelery:held:{queue}"):
            if not worker.running or time.perf_counter() - start > 120:
                raise SystemExit(f"{variant}: the worker stopped or hangs\n{worker.log[-3000:]}")
            time.sleep(0.002)
        consumed = time.perf_counter() - start
    rates = {"publish": tasks / seconds, "consume": total / consumed}
    if setup.results:
        rates["read"] = tasks / float(python(["-c", "import service; print(service.read())"], env).split()[-1])
    return rates


def report(setup: Setup, rounds: list[dict[str, Rates]]) -> dict[str, Rates]:
    """Medians of rates and of ratios to plain."""
    table: dict[str, Rates] = {}
    for variant in setup.variants:
        row: Rates = {}
        for what in setup.measures:
            row[what] = statistics.median(one[variant][what] for one in rounds)
            row[f"{what} ratio"] = statistics.median(one[variant][what] / one["plain"][what] for one in rounds)
        table[variant] = row
    return table


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2000, help="messages per measurement")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds")
    parser.add_argument("--results", action="store_true", help="keep results, and read them")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    setup = KEPT if options.results else IGNORED
    rounds: list[dict[str, Rates]] = []
    with tempfile.TemporaryDirectory(prefix="scb-") as name:
        home = Path(name)
        (home / "service.py").symlink_to(HERE / "service.py")
        with RedisServer(home, tls=False, unix_socket=True) as server:
            python([str(HERE / "service.py")], setup.environment("plain", server.url, home))
            for number in range(options.rounds):
                first = number % len(setup.variants)
                order = setup.variants[first:] + setup.variants[:first]
                rounds.append({variant: measure(setup, variant, options.tasks, server, home) for variant in order})
                print(f"round {number + 1} of {options.rounds} done", file=sys.stderr, flush=True)
    table = report(setup, rounds)
    if options.json:
        print(json.dumps({"rounds": rounds, "medians": table}, indent=1))
        return
    versions = ", ".join(f"{name} {version(name)}" for name in ("celery", "kombu", "redis", "cryptography"))
    print(f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores; {options.tasks} tasks at a time")
    heads = "".join(f" {what} /s | ratio |" for what in setup.measures)
    print(f"\n| variant |{heads}\n|{' --- |' * (1 + 2 * len(setup.measures))}")
    for variant, row in table.items():
        print(f"| {variant} |" + "".join(f" {row[what]:.0f} | {row[f'{what} ratio']:.2f} |" for what in setup.measures))


if __name__ == "__main__":
    main()
