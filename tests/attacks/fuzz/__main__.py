"""The long run of the mutation fuzzer.

    python -m tests.attacks.fuzz --seed 1 --count 200000 [--live 2000] [--case SEED-NUMBER] [--write]

``--live`` sends so many mutants to one real worker per broker, too. ``--case`` plays one again. ``--write`` puts the
figures into docs/fuzzing.md. The exit status is 1 if the law was broken; the case is then printed.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))  # where `service` is

from tests.attacks.case import BROKERS  # noqa: E402
from tests.attacks.fuzz.harness import Figures, harness, peak_mib  # noqa: E402
from tests.attacks.fuzz.live import LiveFigures, run_live  # noqa: E402
from tests.attacks.fuzz.oracle import Broken  # noqa: E402

PAGE = ROOT / "docs" / "fuzzing.md"
MARK = "<!-- Below: written by `python -m tests.attacks.fuzz --write`. -->"


LIVE = [
    "",
    "## Against real workers",
    "",
    "One worker (prefork, two children) per broker. After each 100 mutants: as many dead letters as the same mutants",
    "gave refusals in this process, the same process id, honest work answered on both queues.",
    "",
    "| broker | mutants | refused | seconds | growth of the worker's peak memory |",
    "| --- | ---: | ---: | ---: | ---: |",
]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--count", type=int, default=200_000, help="mutants in this process")
    parser.add_argument("--live", type=int, default=0, help="mutants to a real worker, on each broker")
    parser.add_argument("--broker", action="append", choices=BROKERS, help="live: only this one")
    parser.add_argument("--case", help="play this one again, and show it")
    parser.add_argument("--write", action="store_true", help=f"write the figures into {PAGE.relative_to(ROOT)}")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, flush=True)


def _show(case: str, directory: Path) -> int:
    with harness(directory) as made:
        try:
            mutant, admitted = made.case(Random(case))
        except Broken as broken:
            _say(f"{case}: {broken}")
            return 1
        _say(f"{case}: {mutant.sample.name}, changed at {mutant.layers}: {'admitted' if admitted else 'refused'}")
        _say(mutant.wire[:4000].decode("utf-8", "replace"))
    return 0


def _in_process(seed: str, count: int, directory: Path) -> tuple[Figures, float, int, int]:
    with harness(directory) as made:
        made.case(Random(f"{seed}-warm"))
        made.figures.refused.clear()
        made.figures.layers.clear()
        made.figures.admitted = 0
        first, began = peak_mib(), time.monotonic()
        for number in range(count):
            try:
                made.case(Random(f"{seed}-{number}"))
            except Broken as broken:
                raise Broken(f"case {seed}-{number}: {broken}") from broken
            if number % 20_000 == 19_999:
                _say(f"{number + 1} mutants, {time.monotonic() - began:.0f} s, peak {peak_mib()} MiB")
        return made.figures, time.monotonic() - began, first, peak_mib()


def _page(seed: str, figures: Figures, seconds: float, first: int, peak: int, live: list[LiveFigures]) -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("celery", "kombu", "amqp", "cryptography"))
    pace = f"{figures.count:,} mutants in {seconds:.0f} s ({figures.count / seconds:.0f} a second)"
    memory = f"{first} MiB after the first mutant, {peak} MiB after the last"
    lines = [
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {libraries}, {os.cpu_count()} cores.",
        "",
        "## In one process",
        "",
        f"Seed `{seed}`, {pace}. The law held for every one. Peak memory of the process: {memory}.",
        "",
        "| what became of them | mutants |",
        "| --- | ---: |",
        f"| admitted, as signed | {figures.admitted:,} |",
        *(f"| refused: {reason} | {number:,} |" for reason, number in figures.refused.most_common()),
        "",
        "| changed at | mutants |",
        "| --- | ---: |",
        *(f"| {layer} | {number:,} |" for layer, number in Counter(figures.layers).most_common()),
    ]
    if live:
        lines += LIVE
    for one in live:
        lines.append(f"| {one.broker} | {one.sent:,} | {one.refused:,} | {one.seconds:.0f} | {one.grown_mib} MiB |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # servers and workers go with it
    options = _options()
    with tempfile.TemporaryDirectory(prefix="sc-") as name:
        if options.case:
            return _show(options.case, Path(name))
        try:
            figures, seconds, first, peak = _in_process(options.seed, options.count, Path(name))
            _say(f"{figures.count} in {seconds:.0f} s, {figures.admitted} admitted, {dict(figures.refused)}")
            brokers = (options.broker or BROKERS) if options.live else ()
            live = [run_live(broker, options.seed, options.live, _say) for broker in brokers]
        except AssertionError as broken:
            _say(f"BROKEN: {broken}")
            return 1
    if options.write:
        head = PAGE.read_text().partition(MARK)[0]
        PAGE.write_text(f"{head}{MARK}\n{_page(options.seed, figures, seconds, first, peak, live)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
