"""Play every case against every subject on every broker, and write the document.

    python -m tests.attacks.matrix [--subject plain]... [--broker redis]... [--case 'malformed_*']...
                                   [--save FILE] [--merge FILE]... [--write]

Long: plain workers die often, and must be started again. ``--save`` keeps outcomes in a file (adding to it),
``--merge`` takes them from files instead of playing; ``--write`` adds them to the known ones beside this file, and
writes docs/attack-matrix.md. The exit status is 1 if an attack on safecelery was not blocked.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))  # where worker processes, and we, find `service`

from safecelery.testing.servers import redis_binary  # noqa: E402
from tests.attacks.case import BROKERS  # noqa: E402
from tests.attacks.corpus import corpus  # noqa: E402
from tests.attacks.driver import Outcome  # noqa: E402
from tests.attacks.matrix.document import document, totals  # noqa: E402
from tests.attacks.matrix.run import load_results, run, save_results  # noqa: E402
from tests.attacks.results.page import kept  # noqa: E402
from tests.attacks.subjects import SUBJECTS  # noqa: E402

PAGE = ROOT / "docs" / "attack-matrix.md"
#: The outcomes behind the page, so that a run of a few cases can bring it up to date.
RESULTS = Path(__file__).with_name("results.json")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subject", action="append", choices=sorted(SUBJECTS), help="only this one")
    parser.add_argument("--broker", action="append", choices=BROKERS, help="only this one")
    parser.add_argument("--case", action="append", help="only cases whose names fit the pattern")
    parser.add_argument("--save", type=Path, help="add the outcomes to this file")
    parser.add_argument("--merge", type=Path, action="append", help="take outcomes from this file, and play nothing")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    return parser.parse_args()


def about() -> list[str]:
    """Versions, machine and date."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("celery", "kombu", "redis", "amqp", "cryptography"))
    commit = _output(["git", "rev-parse", "--short", "HEAD"])
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit or 'unknown'}",
        f"Python {platform.python_version()}, {libraries}; {_brokers()}",
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    ]


def _brokers() -> str:
    binary = redis_binary()
    redis = _output([str(binary.path), "--version"]) if binary else ""
    found = re.search(r"v=(\S+)", redis)
    rabbit = _output(["dpkg-query", "-W", "-f", "${Version}", "rabbitmq-server"])
    return f"Redis {found[1] if found else 'unknown'}, RabbitMQ {rabbit or 'unknown'}"


def _output(argv: list[str]) -> str:
    try:
        return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def main() -> int:
    """Run, save, write."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # servers and workers go with it
    options = _options()
    cases = corpus()
    results: dict[tuple[str, str, str], Outcome] = {}
    if options.merge:
        for path in options.merge:
            results |= load_results(path)
    else:
        patterns = options.case or ["*"]
        chosen = [case for case in cases if any(fnmatchcase(case.name, pattern) for pattern in patterns)]
        for broker in options.broker or BROKERS:
            for subject in options.subject or SUBJECTS:
                found = run(subject, broker, chosen, lambda line: print(line, flush=True))
                results |= found
                if options.save:
                    save_results(options.save, found)
    if options.write:
        names = {case.name for case in cases}
        results = {key: one for key, one in ({**load_results(RESULTS), **results}).items() if key[2] in names}
        RESULTS.unlink(missing_ok=True)
        save_results(RESULTS, results)
        PAGE.write_text(document(results, cases, about()) + kept(PAGE))
    for (subject, broker), counted in totals(results, cases).items():
        print(f"{subject:10} {broker:8} {dict(counted)}")
    ours = [counted for (subject, _), counted in totals(results, cases).items() if subject == "safecelery"]
    return 1 if any(counted["ran"] or counted["crashed"] for counted in ours) else 0


if __name__ == "__main__":
    sys.exit(main())
