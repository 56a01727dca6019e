"""Counts, for measuring this stage alone.

``python -m safecelery.lint.source [--no-cache] [--one-process] [--include-tests] PATH...``
"""

from __future__ import annotations

import sys
import time

from safecelery.lint.source import DEFAULT_CACHE, collect


def main(arguments: list[str]) -> int:
    """Print how many files of which kind there are. Exit status 2 if one could not be read."""
    began = time.perf_counter()
    paths = [argument for argument in arguments if not argument.startswith("--")]
    tree = collect(
        paths or ["."],
        include_tests="--include-tests" in arguments,
        cache_dir=None if "--no-cache" in arguments else DEFAULT_CACHE,
        second=False if "--one-process" in arguments else None,
    )
    collected = time.perf_counter()
    lists = sum(len(record.sites) + len(record.comments) for record in tree.records if record.ir)
    decoded = time.perf_counter()
    tree.save()
    saved = time.perf_counter()
    say = sys.stdout.write
    say(f"files {tree.files}, matching {len(tree.records)}, items {lists}, other files {len(tree.other_files)}\n")
    say(f"seconds: collect {collected - began:.3f}, decode {decoded - collected:.3f}, save {saved - decoded:.3f}\n")
    for unread in tree.unread:
        say(f"unread {unread.path}:{unread.line}: {unread.message}\n")
    for note in tree.notes:
        say(f"note {note}\n")
    return 2 if tree.unread else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
