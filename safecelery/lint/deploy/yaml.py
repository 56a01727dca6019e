"""A small YAML reader: enough for Compose files and Kubernetes manifests, Helm templates included.

Maps and lists by indentation, block scalars, flow collections, quotes, anchors, aliases and merge keys. Values stay
text, with their line. What is not understood is :class:`Opaque`, never a guess: a template that prints keys into a map
makes that map ``templated``. The result does not depend on what is installed, so PyYAML is not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from safecelery.lint.deploy.environment import HOLE
from safecelery.lint.deploy.yaml_flow import DOUBLE, SINGLE, Flow, balance, unquoted
from safecelery.lint.deploy.yaml_lines import Line, significant, uncommented, untemplated
from safecelery.lint.deploy.yaml_nodes import Map, Node, Opaque, Scalar, Seq

__all__ = ["Map", "Node", "Opaque", "Scalar", "Seq", "documents"]

_DEEPEST = 40
_MOST_LINES = 60_000
_LONGEST_FLOW = 20_000


_KEY = re.compile(
    r"""(?P<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'(?!')|[^\s\[\]{},"'#&*!|>%@`:][^#:]*(?::(?!\s|$)[^#:]*)*|<<)\s*:(?=\s|$)"""
)
_ANCHOR = re.compile(r"&([^\s,\[\]{}]+)\s*")
_ALIAS = re.compile(r"\*([^\s,\[\]{}]+)\s*$")
_TAG = re.compile(r"![^\s]*\s*")
_BLOCK = re.compile(r"([|>])[-+0-9]*\s*(?:#.*)?$")


def documents(text: str) -> Iterator[Node]:
    """Every document of the text. Never fails."""
    numbered = text.replace("\t", "    ").splitlines()[:_MOST_LINES]
    start = 0
    for number, line in enumerate([*numbered, "---"]):
        if line.startswith(("---", "...")) and (len(line) == 3 or line[3] in " \t"):
            yield _Reader(numbered[start:number], start + 1).document()
            start = number + 1


class _Reader:
    def __init__(self, raw: list[str], first: int) -> None:
        self.raw = raw
        self.first = first
        self.anchors: dict[str, Node] = {}
        self.at = 0
        self.depth = 0
        self.lines = list(significant(raw, first))

    def document(self) -> Node:
        if not self.lines:
            return Opaque(self.first)
        return self._block(self.lines[0].indent)

    def _peek(self) -> Line | None:
        return self.lines[self.at] if self.at < len(self.lines) else None

    def _block(self, indent: int) -> Node:
        """The node whose lines stand at ``indent``."""
        line = self._peek()
        if line is None:
            return Opaque(self.first)
        self.depth += 1
        try:
            if self.depth > _DEEPEST:
                self._skip(indent)
                return Opaque(line.number)
            if line.text == HOLE:
                self.at += 1
                following = self._peek()
                if following is None or following.indent < indent or following.text == HOLE:
                    return Opaque(line.number)
                node = self._block(following.indent)
                if isinstance(node, Map | Seq):
                    node.templated = True
                    return node
                return Opaque(line.number)
            if line.text == "-" or line.text.startswith("- "):
                return self._sequence(line.indent)
            if _KEY.match(line.text) and line.text[0] not in "[{":
                return self._mapping(line.indent)
            self.at += 1
            return self._value(line.text, line, indent - 1)
        finally:
            self.depth -= 1

    def _skip(self, indent: int) -> None:
        while self.at < len(self.lines) and self.lines[self.at].indent >= indent:
            self.at += 1

    def _sequence(self, indent: int) -> Node:
        seq = Seq([], self.lines[self.at].number)
        while (line := self._peek()) is not None and line.indent >= indent:
            if line.text == HOLE:
                seq.templated = True
                self.at += 1
                continue
            if line.indent != indent or not (line.text == "-" or line.text.startswith("- ")):
                if line.indent > indent:
                    seq.templated = True  # not understood
                    self.at += 1
                    continue
                break
            rest = line.text[1:].lstrip()
            deeper = indent + len(line.text) - len(rest)
            if rest.startswith("!"):
                rest = _TAG.sub("", rest, count=1)
            if not rest or rest[0] == "#":
                self.at += 1
                following = self._peek()
                if following is not None and following.indent > indent:
                    seq.items.append(self._block(following.indent))
                else:
                    seq.items.append(Scalar("", line.number))
                continue
            self.lines[self.at] = Line(deeper, rest, line.number)
            anchor = _ANCHOR.match(rest)
            if anchor and _KEY.match(rest[anchor.end() :]) is None:
                self.at += 1
                seq.items.append(self._value(rest, line, indent))
            else:
                seq.items.append(self._block(deeper))
        return seq

    def _mapping(self, indent: int) -> Node:
        found = Map({}, self.lines[self.at].number)
        while (line := self._peek()) is not None and line.indent >= indent:
            if line.text == HOLE:
                found.templated = True
                self.at += 1
                continue
            match = _KEY.match(line.text) if line.indent == indent else None
            if match is None:
                if line.indent == indent and (line.text == "-" or line.text.startswith("- ")):
                    break
                found.templated = True  # not understood, so nobody can say what is absent
                self.at += 1
                continue
            key = unquoted(match["key"])
            self.at += 1
            node = self._value(line.text[match.end() :].strip(), line, indent)
            if key == "<<":
                self._merge(found, node)
            elif HOLE in key:
                found.templated = True
            else:
                old = found.items.get(key)
                # Two branches of a template, or a key written twice: which one counts is not ours to guess.
                both = old is not None and key in found.lines
                found.items[key] = Opaque(line.number) if both else node
                found.lines[key] = line.number
        return found

    def _merge(self, into: Map, node: Node) -> None:
        for source in node.items if isinstance(node, Seq) else [node]:
            if isinstance(source, Map):
                for key, value in source.items.items():
                    into.items.setdefault(key, value)
                into.templated = into.templated or source.templated
            else:
                into.templated = True

    def _value(self, text: str, line: Line, indent: int) -> Node:
        """What stands behind a key or dash; ``indent`` is that of the key."""
        name = None
        while True:
            if text.startswith("&") and (match := _ANCHOR.match(text)):
                name, text = match.group(1), text[match.end() :]
            elif text.startswith("!") and (match := _TAG.match(text)):
                text = text[match.end() :]
            else:
                break
        node = self._bare(text, line, indent)
        if name is not None:
            self.anchors[name] = node
        return node

    def _bare(self, text: str, line: Line, indent: int) -> Node:
        if not text or text[0] == "#":
            following = self._peek()
            if following is not None and following.indent > indent:
                return self._block(following.indent)
            if following is not None and following.indent == indent and following.text.startswith("-"):
                return self._sequence(indent)
            return Scalar("", line.number)
        if match := _ALIAS.match(text):
            return self.anchors.get(match.group(1), Opaque(line.number))
        if match := _BLOCK.match(text):
            return self._block_scalar(match.group(1), line, indent)
        if text[0] in "[{":
            return self._flow(text, line)
        if text[0] in "\"'":
            return self._quoted(text, line, indent)
        parts = [uncommented(text)]
        while (following := self._peek()) is not None and following.indent > indent:
            if following.text == HOLE or _KEY.match(following.text):
                break
            parts.append(uncommented(following.text))
            self.at += 1
        joined = " ".join(parts)
        return Opaque(line.number) if joined.strip() == HOLE else Scalar(joined, line.number)

    def _block_scalar(self, style: str, line: Line, indent: int) -> Node:
        body: list[str] = []
        number = line.number - self.first + 1
        depth = -1
        while number < len(self.raw):
            text = self.raw[number]
            here = len(text) - len(text.lstrip(" "))
            if text.strip():
                if depth < 0:
                    depth = here
                if here <= indent or here < depth:
                    break
            body.append(text[max(depth, 0) :])
            number += 1
        last = number + self.first - 1
        while self.at < len(self.lines) and self.lines[self.at].number <= last:
            self.at += 1
        joined = untemplated("\n".join(body) if style == "|" else " ".join(part.strip() for part in body), HOLE)
        return Scalar(joined.rstrip() + ("\n" if style == "|" else ""), line.number, quoted=True)

    def _quoted(self, text: str, line: Line, indent: int) -> Node:
        quote = text[0]
        pattern = DOUBLE if quote == '"' else SINGLE
        joined = text
        while re.match(pattern, joined) is None:
            following = self._peek()
            if following is None or following.indent <= indent or len(joined) > 20_000:
                return Opaque(line.number)
            joined += " " + following.text
            self.at += 1
        match = re.match(pattern, joined)
        return Scalar(unquoted(match.group() if match else joined), line.number, quoted=True)

    def _flow(self, text: str, line: Line) -> Node:
        parts = [uncommented(text)]
        state = balance(parts[0], ("", 0))
        size = len(parts[0])
        while state[0] or state[1] > 0:
            following = self._peek()
            if following is None or size > _LONGEST_FLOW:
                return Opaque(line.number)
            more = uncommented(following.text)
            parts.append(f"{more}," if more == HOLE else more)  # a template line may print any items
            state = balance(more, state)
            size += len(more) + 1
            self.at += 1
        node, _ = Flow(" ".join(parts), line.number, self.anchors).node(0, 0)
        return node
