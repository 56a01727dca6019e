"""Publish and consume rates: plain Celery, plain with late acks and limits, Celery's own ``auth``, and safecelery.

    python benchmarks/throughput.py [--tasks 2000] [--rounds 5] [--json]

One Redis on a unix socket (no TLS, so that the wire is the same for all), one prefork worker of two children at a time,
a no-op task with three arguments, results ignored. The variants alternate within each round, in changing order, so that
a slow moment of the machine hits all of them. Printed are medians, and medians of the ratio to plain in the same round.
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
from importlib.metadata import version
from pathlib import Path

import redis

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from safecelery.testing.processes import CeleryProcess  # noqa: E402
from safecelery.testing.servers import RedisServer  # noqa: E402

VARIANTS = ("plain", "plain + late acks + limits", "auth", "safecelery")
NAMES = {"plain + late acks + limits": "late"}
MEASURES = ("publish", "consume")
Rates = dict[str, float]


def environment(variant: str, url: str, home: Path) -> dict[str, str]:
    """What the variant's processes get."""
    return {"BENCH_VARIANT": NAMES.get(variant, variant), "BENCH_URL": url, "BENCH_DIR": str(home)}


def python(code: list[str], env: dict[str, str]) -> str:
    """Run a Python process of its own beside the service and return what it printed."""
    path = os.pathsep.join([str(HERE), *sys.path])
    answer = subprocess.run(
        [sys.executable, *code], cwd=HERE, env={**os.environ, "PYTHONPATH": path, **env}, capture_output=True, text=True
    )
    if answer.returncode:
        raise SystemExit(answer.stdout + answer.stderr)
    return answer.stdout


def measure(variant: str, tasks: int, server: RedisServer, home: Path) -> Rates:
    """Send everything to a queue nobody reads, then let a worker that is ready empty it."""
    env = environment(variant, server.url, home)
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
    return {"publish": tasks / seconds, "consume": total / consumed}


def report(rounds: list[dict[str, Rates]]) -> dict[str, Rates]:
    """Medians of rates and of ratios to plain."""
    table: dict[str, Rates] = {}
    for variant in VARIANTS:
        row: Rates = {}
        for what in MEASURES:
            row[what] = statistics.median(one[variant][what] for one in rounds)
            row[f"{what} ratio"] = statistics.median(one[variant][what] / one["plain"][what] for one in rounds)
        table[variant] = row
    return table


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2000, help="messages per measurement")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    rounds: list[dict[str, Rates]] = []
    with tempfile.TemporaryDirectory(prefix="scb-") as name:
        home = Path(name)
        (home / "service.py").symlink_to(HERE / "service.py")
        with RedisServer(home, tls=False, unix_socket=True) as server:
            python([str(HERE / "service.py")], environment("plain", server.url, home))
            for number in range(options.rounds):
                order = VARIANTS[number % len(VARIANTS) :] + VARIANTS[: number % len(VARIANTS)]
                rounds.append({variant: measure(variant, options.tasks, server, home) for variant in order})
                print(f"round {number + 1} of {options.rounds} done", file=sys.stderr, flush=True)
    table = report(rounds)
    if options.json:
        print(json.dumps({"rounds": rounds, "medians": table}, indent=1))
        return
    versions = ", ".join(f"{name} {version(name)}" for name in ("celery", "kombu", "redis", "cryptography"))
    print(f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores; {options.tasks} tasks at a time")
    print(f"\n| variant | publish /s | ratio | consume /s | ratio |\n|{' --- |' * 5}")
    for variant, row in table.items():
        print(
            f"| {variant} | {row['publish']:.0f} | {row['publish ratio']:.2f} "
            f"| {row['consume']:.0f} | {row['consume ratio']:.2f} |"
        )


if __name__ == "__main__":
    main()
