"""How long linters take on a source tree: safecelery, and what people use instead, side by side.

    python benchmarks/lint_speed.py TREE... [--rounds 5] [--slow-rounds 1] [--tools VENV] [--config FILE] [--stage]

Whole processes, from start to exit, with their output thrown away. The fast tools alternate within each round, in
changing order, so that a slow moment of the machine hits all of them; bandit, celery-audit and flake8-pie, which take
a minute, run ``--slow-rounds`` times (0: not at all). ``--tools`` is the virtual environment in which ruff, bandit,
celery-audit and flake8 with flake8-pie are looked for; what is not there is left out. celery-audit does nothing without
the module that configures Celery: ``--config`` names it, for the tree it lies in, else celery-audit is left out.
``--stage`` measures only the reading of the tree (``python -m safecelery.lint.source``) in place of ``safecelery
lint``. Ratios are to ruff.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TypeAlias

HERE = Path(__file__).resolve().parent
RUFF = "ruff --select S"
SMALL = "from celery import shared_task\n\n\n@shared_task\ndef charge(order_id: int) -> None:\n    print(order_id)\n"

Times: TypeAlias = dict[str, list[float]]
Commands: TypeAlias = dict[str, list[str]]


def ours(tree: str, *, stage: bool) -> Commands:
    """safecelery without and with what it remembers."""
    command = (
        [sys.executable, "-m", "safecelery.lint.source"] if stage else [sys.executable, "-m", "safecelery", "lint"]
    )
    return {"safecelery cold": [*command, "--no-cache", tree], "safecelery warm": [*command, tree]}


def fast_tools(tools: Path, tree: str) -> Commands:
    """Tools that are run in every round."""
    found = {RUFF: [str(tools / "ruff"), "check", "--select", "S", "--no-cache", "--quiet", tree]}
    return {name: command for name, command in found.items() if Path(command[0]).exists()}


def slow_tools(tools: Path, tree: str, configs: list[str]) -> Commands:
    """Tools that would make every round take minutes."""
    root = Path(tree).resolve()
    config = [part for file in configs if Path(file).resolve().is_relative_to(root) for part in ("--config", file)]
    found = {
        "bandit": [str(tools / "bandit"), "--quiet", "--recursive", tree],
        "flake8-pie": [str(tools / "flake8"), "--isolated", "--select", "PIE783,PIE784,PIE785", tree],
    }
    if config:
        found["celery-audit"] = [str(tools / "celery-audit"), *config, tree]
    return {name: command for name, command in found.items() if Path(command[0]).exists()}


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """One whole process. One that failed is not a measurement and ends the benchmark.

    Status 1 means findings everywhere; 2 means that something could not be read with us, and a refusal elsewhere.
    """
    began = time.perf_counter()
    answer = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, check=False)
    taken = time.perf_counter() - began
    good = (0, 1, 2) if command[0] == sys.executable else (0, 1)
    if answer.returncode not in good or b"Traceback (most recent call last)" in answer.stderr:
        raise SystemExit(f"{' '.join(command)} failed:\n{answer.stderr.decode(errors='replace')[-2000:]}")
    return taken


def measure(commands: Commands, rounds: int, environment: dict[str, str]) -> Times:
    """Every command once per round, beginning with another one each time."""
    times: Times = {name: [] for name in commands}
    names = list(commands)
    for number in range(rounds):
        turn = number % len(names) if names else 0
        for name in names[turn:] + names[:turn]:
            times[name].append(seconds(commands[name], environment))
    return times


def versions_in(tools: Path) -> str:
    """The versions of the tools that are installed there."""
    code = (
        "from importlib.metadata import distributions\n"
        "names = ('ruff', 'celery-audit', 'bandit', 'flake8', 'flake8-pie')\n"
        "found = {d.metadata['Name'].lower(): d.version for d in distributions()}\n"
        "print(', '.join(f'{name} {found[name]}' for name in names if name in found))"
    )
    return subprocess.run([tools / "python", "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def size_of(tree: str) -> tuple[int, int]:
    """Python files and their lines."""
    paths = [path for path in Path(tree).rglob("*.py") if path.is_file() and not path.is_symlink()]
    return len(paths), sum(path.read_bytes().count(b"\n") for path in paths)


def table(times: Times) -> list[str]:
    """Minimum, median and their ratio to ruff's as a Markdown table."""
    base = min(times[RUFF]) if times.get(RUFF) else None
    lines = ["| tool | minimum s | median s | minimum / ruff |", "| --- | --- | --- | --- |"]
    for name, taken in times.items():
        if taken:
            ratio = f"{min(taken) / base:.2f}" if base else "-"
            lines.append(f"| {name} | {min(taken):.3f} | {statistics.median(taken):.3f} | {ratio} |")
    return lines


def main() -> None:
    """Print one table per tree, and one for a single small file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("trees", nargs="*", metavar="TREE")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow-rounds", type=int, default=1)
    parser.add_argument("--tools", type=Path, default=Path(sys.prefix), help="a virtual environment")
    parser.add_argument("--config", action="append", default=[], help="for celery-audit: what configures Celery")
    parser.add_argument("--stage", action="store_true", help="only the reading of the tree")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tools: Path = options.tools / "bin"
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "XDG_CACHE_HOME": str(Path(home, "cache"))}
        # As installed: pip compiles what it installs. Else this would time the compiler of Python.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        compileall.compile_dir(str(HERE.parent / "safecelery"), quiet=1)
        small = Path(home, "small", "tasks.py")
        small.parent.mkdir()
        small.write_text(SMALL)
        found: dict[str, Times] = {}
        for tree in [*options.trees, str(small)]:
            commands = {**ours(tree, stage=options.stage), **fast_tools(tools, tree)}
            seconds(commands["safecelery warm"], environment)  # fills the cache
            found[tree] = measure(commands, options.rounds, environment)
            if tree != str(small):
                found[tree] |= measure(slow_tools(tools, tree, options.config), options.slow_rounds, environment)
    if options.json:
        print(json.dumps({Path(tree).name: times for tree, times in found.items()}, indent=1))
        return
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}")
    print(versions_in(tools))
    for tree, times in found.items():
        if tree == str(small):
            print(f"\none file of {SMALL.count(chr(10))} lines\n")
        else:
            count, lines = size_of(tree)
            print(f"\n{Path(tree).name}: {count} python files, {lines} lines\n")
        print("\n".join(table(times)))


if __name__ == "__main__":
    main()
