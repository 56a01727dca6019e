"""Files of ``[section]`` and ``key = value``: systemd units and supervisor's configuration, with lines.

Not configparser: it forgets lines, and refuses what these programs accept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from safecelery.deferred import dataclass

__all__ = ["Section", "sections"]


_LONGEST = 20_000  # characters of one value; longer ones are cut


@dataclass(slots=True)
class Section:
    """One section. A key that is given twice has two values."""

    name: str
    line: int
    values: dict[str, list[tuple[str, int]]] = field(default_factory=dict)

    def last(self, key: str) -> str | None:
        """The value that counts where one may be given: the last."""
        given = self.values.get(key.lower())
        return given[-1][0] if given else None

    def line_of(self, key: str) -> int:
        """Where the key stands."""
        given = self.values.get(key.lower())
        return given[-1][1] if given else self.line


def sections(text: str, *, inline_comments: bool) -> Iterator[Section]:
    """Every section. Lines that end in a backslash go on in the next (systemd), and so do values whose next line is
    indented (supervisor). ``inline_comments``: `` ;`` starts a comment behind a value (supervisor)."""
    current: Section | None = None
    key = ""
    continued = False
    for number, raw in enumerate(text.splitlines(), start=1):
        stripped = raw.strip()
        if continued and current is not None and key in current.values:
            if stripped.startswith(("#", ";")):
                continue
            value, line = current.values[key][-1]
            continued = stripped.endswith("\\")
            if len(value) < _LONGEST:
                current.values[key][-1] = (f"{value} {stripped.removesuffix(chr(92)).strip()}", line)
            continue
        if not stripped or stripped[0] in "#;":
            continue
        if stripped[0] == "[" and stripped.endswith("]"):
            if current is not None:
                yield current
            current, key = Section(stripped[1:-1].strip(), number), ""
            continue
        if current is None:
            continue
        if inline_comments:
            stripped = stripped.partition(" ;")[0].rstrip()
        if raw[0] in " \t" and key and inline_comments:
            value, line = current.values[key][-1]
            if len(value) < _LONGEST:
                current.values[key][-1] = (f"{value} {stripped}", line)
            continue
        name, equals, value = stripped.partition("=")
        if not equals and inline_comments:
            name, equals, value = stripped.partition(":")
        if not equals:
            continue
        key = name.strip().lower()
        continued = not inline_comments and value.endswith("\\")
        current.values.setdefault(key, []).append((value.removesuffix("\\").strip(), number))
    if current is not None:
        yield current
