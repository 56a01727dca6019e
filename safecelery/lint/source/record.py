"""What is known of one file before anything is interpreted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from safecelery.lint.finding import Unread

__all__ = ["FileRecord", "OtherFile", "Payload", "PythonFile", "UnreadPart", "nothing", "payload_of"]

UnreadPart: TypeAlias = tuple[int, str]
"""Line (0: the whole file) and message."""

Payload: TypeAlias = list[Any]
"""What the stages made of a file: its IR, its sites, its suppression comments. JSON-able."""


def nothing() -> Payload:
    """The payload of a file that could not be parsed."""
    return [None, [], []]


def payload_of(text: bytes) -> Payload | None:
    """The payload that was kept or sent as JSON; None if the text is not one."""
    import json

    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if type(payload) is list and len(payload) == 3 and type(payload[1]) is type(payload[2]) is list:
        return payload
    return None


class PythonFile:
    """A python file of the tree that may never be read."""

    __slots__ = ("absolute", "argument", "is_test", "modules", "path", "root")

    def __init__(self, path: str, absolute: str, root: str, argument: str) -> None:
        self.path = path
        """Relative to :attr:`root`, with slashes."""
        self.absolute = absolute
        self.root = root
        """The absolute folder that was named, or the folder of the file that was named."""
        self.argument = argument
        """The path as it was given."""
        self.is_test = False
        self.modules: tuple[str, ...] = ()
        """Dotted names under which the module may be imported, the likeliest first."""


class OtherFile:
    """A file that may say how the program is run or what it is installed with; not read."""

    __slots__ = ("absolute", "argument", "is_test", "kind", "path", "root")

    def __init__(self, path: str, absolute: str, root: str, argument: str, kind: str) -> None:
        self.path = path
        """Relative to :attr:`root`, with slashes."""
        self.absolute = absolute
        self.root = root
        self.argument = argument
        self.kind = kind
        """As in the tables of names.py: ``dockerfile``, ``compose``, ``yaml`` ..."""
        self.is_test = False


class FileRecord:
    """One python file, reduced. ``ir``, ``sites`` and ``comments`` are decoded when first asked for.

    ``decode`` gives the payload; it is called once at most and never raises.
    """

    __slots__ = ("_decode", "_payload", "file", "shown", "unread_parts")

    def __init__(
        self,
        file: PythonFile,
        shown: str,
        unread_parts: list[UnreadPart],
        *,
        payload: Payload | None = None,
        decode: Callable[[], Payload] | None = None,
    ) -> None:
        self.file = file
        self.shown = shown
        """The path for messages: relative to the working directory where it lies below it."""
        self.unread_parts = unread_parts
        self._payload = payload
        self._decode = decode

    def __repr__(self) -> str:
        return f"<FileRecord {self.shown}>"

    @property
    def path(self) -> str:
        """Relative to the argument it came from, with slashes."""
        return self.file.path

    @property
    def absolute(self) -> str:
        """The absolute path."""
        return self.file.absolute

    @property
    def root(self) -> str:
        """The absolute folder that was named, or the folder of the file that was named."""
        return self.file.root

    @property
    def argument(self) -> str:
        """The argument this file came from, as given."""
        return self.file.argument

    @property
    def is_test(self) -> bool:
        """It holds tests or lies among them, and no argument named it."""
        return self.file.is_test

    @property
    def modules(self) -> tuple[str, ...]:
        """Dotted names under which the module may be imported, the likeliest first; never empty for a readable name."""
        return self.file.modules

    @property
    def is_package(self) -> bool:
        """It is an ``__init__.py``."""
        return self.file.absolute.endswith(("/__init__.py", "\\__init__.py"))

    @property
    def ir(self) -> Any:
        """What ``lint/ir`` made of the module; None if it could not be parsed."""
        return self._all()[0]

    @property
    def sites(self) -> list[Any]:
        """What ``lint/code`` found in it."""
        found: list[Any] = self._all()[1]
        return found

    @property
    def comments(self) -> list[Any]:
        """Its suppression comments, as ``lint/suppress`` gives them."""
        found: list[Any] = self._all()[2]
        return found

    @property
    def unread(self) -> list[Unread]:
        """What of the file could not be read."""
        from safecelery.lint.finding import Unread

        return [Unread(self.shown, line, message) for line, message in self.unread_parts]

    def to_json(self) -> dict[str, Any]:
        """All of the record, for printing."""
        return {
            "path": self.path,
            "absolute": self.absolute,
            "is_test": self.is_test,
            "modules": list(self.modules),
            "ir": self.ir,
            "sites": self.sites,
            "comments": self.comments,
            "unread": [list(part) for part in self.unread_parts],
        }

    def _all(self) -> Payload:
        if self._payload is None:
            self._payload = self._decode() if self._decode is not None else nothing()
            self._decode = None
        return self._payload
