"""``--fix``, ``--unsafe-fixes``, ``--diff`` in real runs: what is written, and that nothing else is."""

from __future__ import annotations

import ast
import difflib

import pytest

from tests.integration.lint_process import SHOP, LintedProject

#: Line ends, encodings and oddities that an edit must leave as they are.
VARIANTS: dict[str, bytes] = {
    "plain": SHOP.encode(),
    "crlf": SHOP.replace("\n", "\r\n").encode(),
    "mixed line ends": SHOP.replace("\n", "\r\n", 3).encode(),
    "no newline at the end": SHOP.rstrip("\n").encode(),
    "utf-8 with a mark": b"\xef\xbb\xbf" + SHOP.encode(),
    "latin-1": b"# -*- coding: latin-1 -*-\n" + SHOP.encode("latin-1"),
    "tabs and form feed": b"\x0c" + SHOP.replace("    return", "\treturn").encode(),
}


@pytest.mark.parametrize("content", VARIANTS.values(), ids=list(VARIANTS))
def test_only_the_lines_of_the_edits_change_and_the_file_still_parses(linted: LintedProject, content: bytes) -> None:
    linted.write({"tasks.py": content})
    fixable = {"SFC401", "SFC402", "SFC501", "SFC901"}
    assert fixable <= set(linted.codes())
    done = linted.run("lint", "--unsafe-fixes", "--format", "concise")
    assert done.returncode in (0, 1)
    after = (linted.directory / "tasks.py").read_bytes()
    ast.parse(after)
    old, new = content.splitlines(True), after.splitlines(True)
    changed = [
        (old[a:b], new[c:d])
        for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if kind != "equal"
    ]
    assert len(changed) == 2
    for before, now in changed:
        assert len(before) == len(now) == 1
        assert before[0].startswith(b"@app.task")
        assert now[0].startswith(b"@app.task(")
        assert before[0][len(before[0].rstrip()) :] == now[0][len(now[0].rstrip()) :]  # the line's end
    assert fixable.isdisjoint(linted.codes())


def test_what_was_fixed_is_not_reported_and_the_status_is_of_what_is_left(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    done = linted.run("lint", "--select", "SFC901,SFC501", "--unsafe-fixes")
    assert done.returncode == 0
    assert "no findings" in done.stdout
    assert "fixed 3 findings in 1 file (SFC501 2, SFC901 1)" in done.stderr
    again = linted.run("lint", "--select", "SFC901,SFC501", "--unsafe-fixes")
    assert "nothing to fix" in again.stderr


def test_fix_alone_does_not_change_what_a_task_does(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    done = linted.run("lint", "--fix", "--format", "concise")
    assert done.returncode == 1
    text = (linted.directory / "tasks.py").read_text()
    assert "acks_late" not in text
    assert "more with --unsafe-fixes" in done.stderr
    assert {"SFC401", "SFC501"} <= set(linted.codes())


def test_diff_writes_nothing_and_applies_with_patch(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP, "deep/er/more.py": SHOP})
    before = {path: path.stat() for path in linted.directory.rglob("*.py")}
    done = linted.run("lint", "--diff", "--unsafe-fixes")
    assert done.returncode == 1
    for path, status in before.items():
        assert (path.stat().st_mtime_ns, path.read_text()) == (status.st_mtime_ns, SHOP)
    assert sorted(path.name for path in linted.directory.rglob("*")) == ["deep", "er", "more.py", "tasks.py"]
    headers = [line for line in done.stdout.splitlines() if line.startswith(("--- ", "+++ "))]
    assert headers == [f"{sign} {name}" for name in ("deep/er/more.py", "tasks.py") for sign in ("---", "+++")]
    assert "would fix" in done.stderr
    linted.run("lint", "--unsafe-fixes")
    fixed = (linted.directory / "tasks.py").read_text()
    assert all(line[1:] in fixed.splitlines() for line in done.stdout.splitlines() if line.startswith("+@"))
    assert linted.run("lint", "--diff", "--select", "SFC901,SFC401").returncode == 0


def test_modes_and_links_outlive_a_fix(linted: LintedProject) -> None:
    linted.write({"real.py": SHOP})
    real = linted.directory / "real.py"
    real.chmod(0o640)
    (linted.directory / "link.py").symlink_to("real.py")
    linted.run("lint", "--unsafe-fixes")
    assert real.stat().st_mode & 0o777 == 0o640
    assert (linted.directory / "link.py").is_symlink()
    assert "acks_late" in real.read_text()


def test_a_file_that_may_not_be_written_is_said_and_left(linted: LintedProject) -> None:
    linted.write({"closed/tasks.py": SHOP, "open.py": SHOP})
    (linted.directory / "closed").chmod(0o555)
    try:
        done = linted.run("lint", "--unsafe-fixes", anybody=True)
    finally:
        (linted.directory / "closed").chmod(0o755)
    assert done.returncode in (1, 2)
    assert "closed/tasks.py" in done.stderr
    assert (linted.directory / "closed/tasks.py").read_text() == SHOP
    assert "acks_late" in (linted.directory / "open.py").read_text()


def test_a_file_with_a_part_that_cannot_be_read_is_still_2_after_its_fixes(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP + "\n)\n"})
    done = linted.run("lint", "--unsafe-fixes")
    assert done.returncode == 2
    text = (linted.directory / "tasks.py").read_text()
    assert text.endswith("\n)\n")
    assert len(text.splitlines()) == len((SHOP + "\n)\n").splitlines())


def test_suppressed_findings_are_not_fixed(linted: LintedProject) -> None:
    excused = SHOP.replace("ignore_results=True)", "ignore_results=True)  # safecelery: ignore[SFC901,SFC501] known")
    linted.write({"tasks.py": excused})
    linted.run("lint", "--unsafe-fixes", "--select", "SFC901,SFC501")
    text = (linted.directory / "tasks.py").read_text()
    assert "ignore_results=True" in text
    assert text.count("acks_late=True") == 1
