"""Play every case on results against every subject on every backend, and write their part of the matrix.

    python -m tests.attacks.results [--subject plain]... [--backend redis]... [--case 'stored_*']...
                                    [--save FILE] [--merge FILE]... [--write]

``--save`` keeps outcomes in a file (adding to it), ``--merge`` takes them from files instead of playing; ``--write``
adds them to the known ones beside this file, and writes the section of docs/attack-matrix.md. The exit status is 1 if
an attack on safecelery did harm that the case does not say is known.
"""

from __future__ import annotations

import argparse
import signal
import sys
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))  # where processes, and we, find `service`

from tests.attacks.matrix.__main__ import PAGE, about  # noqa: E402
from tests.attacks.results.case import corpus  # noqa: E402
from tests.attacks.results.driver import GOOD, Outcome  # noqa: E402
from tests.attacks.results.page import put, section, totals  # noqa: E402
from tests.attacks.results.run import Key, load_outcomes, run, save_outcomes  # noqa: E402
from tests.attacks.results.subjects import BACKENDS, SUBJECTS  # noqa: E402

#: The outcomes behind the page, so that a run of a few cases can bring it up to date.
OUTCOMES = Path(__file__).with_name("outcomes.json")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subject", action="append", choices=sorted(SUBJECTS), help="only this one")
    parser.add_argument("--backend", action="append", choices=sorted(BACKENDS), help="only this one")
    parser.add_argument("--case", action="append", help="only cases whose names fit the pattern")
    parser.add_argument("--save", type=Path, help="add the outcomes to this file")
    parser.add_argument("--merge", type=Path, action="append", help="take outcomes from this file, and play nothing")
    parser.add_argument("--write", action="store_true", help="write the section of docs/attack-matrix.md")
    return parser.parse_args()


def main() -> int:
    """Run, save, write."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # servers and processes go with it
    options = _options()
    cases = corpus()
    outcomes: dict[Key, Outcome] = {}
    if options.merge:
        for path in options.merge:
            outcomes |= load_outcomes(path)
    else:
        patterns = options.case or ["*"]
        chosen = [case for case in cases if any(fnmatchcase(case.name, pattern) for pattern in patterns)]
        for backend in options.backend or BACKENDS:
            for subject in options.subject or SUBJECTS:
                found = run(subject, backend, chosen, lambda line: print(line, flush=True))
                outcomes |= found
                if options.save:
                    save_outcomes(options.save, found)
    if options.write:
        names = {case.name: case.backends for case in cases}
        stored = {**load_outcomes(OUTCOMES), **outcomes}
        outcomes = {key: one for key, one in stored.items() if key[1] in names.get(key[2], ())}
        OUTCOMES.unlink(missing_ok=True)
        save_outcomes(OUTCOMES, outcomes)
        put(PAGE, section(outcomes, cases, about()))
    for (subject, backend), counted in totals(outcomes, cases).items():
        print(f"{subject:10} {backend:8} {dict(counted)}")
    known = {case.name for case in cases if case.expect.get("known")}
    bad = [
        key[1:]
        for key, one in outcomes.items()
        if key[0] == "safecelery" and one.verdict not in GOOD and key[2] not in known
    ]
    print("harm to safecelery:", *bad or ["none"])
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
