"""Reads files and holds on to what later rounds of the prefilter need: one of these lives in each process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from safecelery.lint.source.hints import is_hinted, is_hinted_file
from safecelery.lint.source.imported import imported_tails, imports_any, wanted_of
from safecelery.lint.source.outline import Outline, outline_of
from safecelery.lint.source.parse import parse
from safecelery.lint.source.reading import Stamp, TooLargeError, decode_source, read_bytes
from safecelery.lint.source.record import Payload, PythonFile, UnreadPart, nothing
from safecelery.lint.source.stages import Stages
from safecelery.lint.source.wrappers import Exports, exports_of

__all__ = ["Read", "Reader", "folder_and_stem", "reduce_source"]


class Read:
    """What reading one file gave. ``payload`` is None for a file that concerns us not."""

    __slots__ = ("payload", "stamp", "unread")

    def __init__(self, stamp: Stamp | None, payload: Payload | None, unread: list[UnreadPart]) -> None:
        self.stamp = stamp
        """None if it must not be cached."""
        self.payload = payload
        self.unread = unread


def folder_and_stem(file: PythonFile) -> tuple[str, str]:
    """The dotted path of the folder from the argument's own name on, and the name without its ending."""
    root = file.root.replace("\\", "/").rpartition("/")[2]
    folder, _, name = f"{root}/{file.path}".rpartition("/")
    return folder.replace("/", "."), name.rpartition(".")[0] or name


class Reader:
    """Reads files by their index. ``known`` grows with what :meth:`follow` is told."""

    def __init__(self, files: Sequence[PythonFile], stages: Stages, known: Exports) -> None:
        self._files = files
        self._stages = stages
        self._known = known
        self._tails: dict[int, frozenset[bytes] | None] = {}
        """Of the files that did not match: what they import from, None if they were not read yet. A few dozen of them
        are read again for that; to keep the text of all would take more time, for the memory alone."""
        self._outlines: dict[int, Outline] = {}
        self._exported: dict[int, set[str]] = {}

    def expect(self, indexes: Iterable[int]) -> None:
        """Files whose last known contents did not match, not read in this run: :meth:`follow` reads them."""
        for index in indexes:
            self._tails[index] = None

    def first(self, index: int) -> Read:
        """The first stage, for one file."""
        path = self._files[index].absolute
        try:
            data, stamp = read_bytes(path)
        except TooLargeError as error:
            return _too_large(path, error)
        except (OSError, ValueError) as error:
            return _unreadable(error)
        if is_hinted(data):
            return self._reduce(index, data, stamp)
        self._tails[index] = imported_tails(data, folder_and_stem(self._files[index])[0])
        return Read(stamp, None, [])

    def forced(self, index: int) -> Read:
        """A file that concerns us, whatever its bytes say."""
        try:
            data, stamp = read_bytes(self._files[index].absolute)
        except (OSError, ValueError, TooLargeError) as error:
            return _unreadable(error)
        return self._reduce(index, data, stamp)

    def exports(self) -> dict[int, list[str]]:
        """What the modules parsed since the last call export, by index."""
        found: dict[int, list[str]] = {}
        for index, outline in self._outlines.items():
            if index in self._exported:
                continue
            names = exports_of(outline, self._known, folder_and_stem(self._files[index])[0])
            self._exported[index] = names
            if names:
                found[index] = sorted(names)
        return found

    def follow(self, fresh: Exports) -> dict[int, Read]:
        """The second stage: the held files that import one of ``fresh``, reduced."""
        for key, names in fresh.items():
            self._known.setdefault(key, set()).update(names)
        for index, outline in self._outlines.items():
            if any(module.rpartition(".")[2] in fresh or not module.strip(".") for _, module, _ in outline.imported):
                self._exported.pop(index, None)  # to be looked at again
        wanted = wanted_of(fresh, self._known)
        found: dict[int, Read] = {}
        for index, tails in list(self._tails.items()):
            if tails is not None and tails.isdisjoint(wanted):
                continue
            try:
                data, stamp = read_bytes(self._files[index].absolute)
            except (OSError, ValueError, TooLargeError):
                continue  # it was readable a moment ago: the next run will tell
            folder = folder_and_stem(self._files[index])[0]
            if tails is None:
                tails = self._tails[index] = imported_tails(data, folder)
            if not tails.isdisjoint(wanted) and imports_any(data, wanted, folder):
                del self._tails[index]
                found[index] = self._reduce(index, data, stamp)
        return found

    def _reduce(self, index: int, data: bytes, stamp: Stamp | None) -> Read:
        payload, unread, outline = reduce_source(data, self._stages)
        if outline is not None:
            self._outlines[index] = outline
        return Read(stamp, payload, unread)


def reduce_source(data: bytes, stages: Stages) -> tuple[Payload, list[UnreadPart], Outline | None]:
    """All stages over the bytes of one module. Never raises."""
    source, unread = decode_source(data)
    parsed = parse(source)
    unread = [*unread, *parsed.unread]
    payload = nothing()
    if parsed.tree is None:
        return payload, unread, None
    outline = None
    try:
        outline = outline_of(parsed.tree, parsed.source)
        payload[2] = stages.comments(source)
        payload[0] = stages.ir(parsed.tree, parsed.source)
        payload[1] = stages.sites(parsed.tree, parsed.source)
    except RecursionError:
        unread.append((0, "nested too deeply to be followed; split the longest expression"))
    except Exception as error:  # noqa: BLE001 - a defect of ours must not end the run, nor pass for a clean file
        unread.append((0, f"could not be examined, which is a defect of safecelery: {type(error).__name__}: {error}"))
    return payload, unread, outline


def _too_large(path: str, error: TooLargeError) -> Read:
    try:
        hinted = is_hinted_file(path)
    except OSError as second:
        return _unreadable(second)
    if not hinted:
        return Read(None, None, [])
    return Read(None, nothing(), [(0, f"{error} bytes: too large to be read; split it or exclude it")])


def _unreadable(error: Exception) -> Read:
    reason = getattr(error, "strerror", None) or str(error)
    return Read(None, nothing(), [(0, f"cannot be read: {reason.lower()}")])
