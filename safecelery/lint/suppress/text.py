"""Comments in files that are not Python: Dockerfile, YAML, shell, INI, TOML, requirements."""

from __future__ import annotations

import re

from safecelery.lint.suppress.instruction import MARK, Comment, Lines, instruction

__all__ = ["read_text_comments"]

_SEMICOLON = (".ini", ".conf", ".cfg", ".service", ".timer", ".target")
_NESTED = (".yml", ".yaml")


def read_text_comments(text: str, path: str) -> list[Comment]:
    """The comments for the linter, in order; ``path`` tells what begins a comment and what belongs together.

    A comment covers its line or, alone on it, the next one; with that line those it is continued on by a backslash and,
    in YAML, those nested in it. Never raises.
    """
    if MARK not in text:
        return []
    lines = re.split(r"\r\n|\r|\n", text)
    marks = "#;" if path.lower().endswith(_SEMICOLON) else "#"
    begin = re.compile(rf"(?:^|(?<=\s))[{marks}]\s*{MARK}")
    found = []
    content = False
    for number, line in enumerate(lines, start=1):
        match = begin.search(line)
        if match is not None and not _in_quotes(line[: match.start()]):
            comment = instruction(line[match.start() :], number)
            if comment is not None:
                if not comment["file"]:
                    alone = not line[: match.start()].strip()
                    comment["lines"] = _covered(lines, number, alone, marks, path.lower().endswith(_NESTED))
                elif content and not comment["problem"]:
                    comment["problem"] = "'ignore-file' stands before the first entry of a file"
                found.append(comment)
        content = content or not (line.strip() in ("", "---") or line.lstrip()[0] in marks)
    return found


def _in_quotes(before: str) -> bool:
    return any(len(re.findall(rf"(?<!\\){quote}", before)) % 2 for quote in ('"', "'"))


def _covered(lines: list[str], number: int, alone: bool, marks: str, nested: bool) -> Lines:
    first = number
    if alone:
        first += 1
        while first <= len(lines) and lines[first - 1].lstrip()[:1] in tuple(marks):
            first += 1
        if first > len(lines) or not lines[first - 1].strip():
            return [[number, number]]
    last = first
    while last < len(lines) and (
        lines[last - 1].rstrip().endswith("\\") or (nested and _is_inside(lines[last], lines[first - 1]))
    ):
        last += 1
    return [[first, last]]


def _is_inside(line: str, head: str) -> bool:
    return bool(line.strip()) and _indent(line) > _indent(head)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
