"""Reads YAML into plain mappings, lists and texts that remember the line on which each thing stands.

Scalars stay texts: what a text means is for the field to say, so no YAML 1.1 guess turns ``no`` into false or
``07:00`` into 420. No field of ours is known here, and no text can make it raise, recurse or grow without bound.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import yaml

MAX_TEXT_BYTES: Final = 32 * 1024 * 1024
MAX_DEPTH: Final = 16

_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


class YamlTrouble(NamedTuple):
    """What is wrong with the text as YAML: the line (from 1), the problem and the remedy as sentences."""

    line: int
    problem: str
    remedy: str


class Table(dict[str, object]):
    """A YAML mapping; ``lines`` has the line of each key, ``line`` that of the mapping itself."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str | int, int] = {}


class Items(list[object]):
    """A YAML list; ``lines`` has the line of each item by index, ``line`` that of the list itself."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str | int, int] = {}


class Document(NamedTuple):
    """What was read: a text, ``None``, a ``Table`` or ``Items``, and every trouble met on the way.

    ``root`` is ``None`` too where the text could not be read to its end.
    """

    root: object
    troubles: tuple[YamlTrouble, ...]


def line_of(root: Table, path: tuple[str | int, ...]) -> int:
    """The line on which the path ends, or on which the last part of it that exists stands."""
    line = root.line
    at: object = root
    for step in path:
        if not isinstance(at, Table | Items) or step not in at.lines:
            break
        line = at.lines[step]
        at = at[step]  # type: ignore[index]  # ``lines`` has a table's keys or a list's indexes, whichever it is
    return line


def read(text: str) -> Document:
    """Read one YAML document; anchors, aliases, tags and keys that are not texts are refused, never followed."""
    unfit = _unfit(text)
    if unfit is not None:
        return Document(None, (unfit,))
    builder = _Builder()
    try:
        for event in _events(text):
            builder.take(event)
    except _UnreadableError as stop:
        return Document(None, (*builder.troubles, stop.trouble))
    except yaml.YAMLError as error:
        return Document(None, (*builder.troubles, _misread(error, text)))
    return Document(builder.root, tuple(builder.troubles))


class _UnreadableError(Exception):
    """Reading stops here; what stands below cannot be trusted."""

    def __init__(self, trouble: YamlTrouble) -> None:
        super().__init__(trouble.problem)
        self.trouble = trouble


class _Open(NamedTuple):
    """A mapping or list that is still being read."""

    node: Table | Items
    pending: list[tuple[str, int]]
    """The key that waits for its value, with its line; empty in a list."""


class _Builder:
    """Puts events together into one tree, with a stack of its own instead of recursion."""

    def __init__(self) -> None:
        self.root: object = None
        self.troubles: list[YamlTrouble] = []
        self._open: list[_Open] = []
        self._documents = 0

    def take(self, event: Any) -> None:  # noqa: ANN401  # the stubs of PyYAML leave events untyped
        """Take the next event; raises ``_UnreadableError`` where reading has to stop."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            _refuse_marks(event, line)
            self._scalar(event, line)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            _refuse_marks(event, line)
            self._enter(Table(line) if isinstance(event, yaml.MappingStartEvent) else Items(line), line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.AliasEvent):
            raise _UnreadableError(YamlTrouble(line, "an alias (*) stands here", "Write the value out in full."))
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _UnreadableError(YamlTrouble(line, "a second document begins here", "Remove the line '---'."))

    def _scalar(self, event: Any, line: int) -> None:  # noqa: ANN401  # see take
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.node, Table) and not top.pending:
            top.pending.append((event.value, line))
            return
        is_plain = event.style is None or event.style == ""
        self._put(None if is_plain and event.value in _NULLS else event.value, line)

    def _enter(self, node: Table | Items, line: int) -> None:
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.node, Table) and not top.pending:
            raise _UnreadableError(YamlTrouble(line, "a key has to be a text", "Write 'key: value'."))
        if len(self._open) >= MAX_DEPTH:
            raise _UnreadableError(YamlTrouble(line, f"nested deeper than {MAX_DEPTH} levels", "Close the brackets."))
        self._put(node, line)
        self._open.append(_Open(node, []))

    def _put(self, value: object, line: int) -> None:
        if not self._open:
            self.root = value
            return
        node, pending = self._open[-1]
        if isinstance(node, Items):
            node.lines[len(node)] = line
            node.append(value)
            return
        key, key_line = pending.pop()
        if key in node:
            first = node.lines[key]
            self.troubles.append(
                YamlTrouble(
                    key_line, f"key {key[:40]!r} stands here again, first on line {first}", "Keep one of the two."
                )
            )
            return
        node[key] = value
        node.lines[key] = key_line


def _events(text: str) -> Iterator[Any]:
    yield from yaml.parse(text, Loader=_Loader)


def _unfit(text: str) -> YamlTrouble | None:
    """Why a text is not even looked at as YAML: its size, or characters that no text file has."""
    if len(text) > MAX_TEXT_BYTES:
        return YamlTrouble(
            1, f"the text is longer than {MAX_TEXT_BYTES} characters", "Give an inventory, not a recording."
        )
    strange = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if strange is None:
        return None
    line = text.count("\n", 0, strange.start()) + 1
    return YamlTrouble(
        line, f"a control character stands here: {strange.group()!r}", "Save the file as plain UTF-8 text."
    )


def _misread(error: yaml.YAMLError, text: str) -> YamlTrouble:
    mark = getattr(error, "problem_mark", None)
    last = len(f"{text}.".splitlines())
    return YamlTrouble(
        min(mark.line + 1, last) if mark else 1,  # libyaml may point behind the end
        f"this is not YAML: {getattr(error, 'problem', None) or 'something else was expected'}",
        "Look at brackets, quotes, colons, tabs and indentation on this line and the one above.",
    )


def _refuse_marks(event: Any, line: int) -> None:  # noqa: ANN401  # see _Builder.take
    if event.anchor is not None:
        raise _UnreadableError(YamlTrouble(line, f"an anchor (&{event.anchor[:40]}) stands here", "Remove it."))
    if event.tag is not None:
        raise _UnreadableError(
            YamlTrouble(line, f"a tag ({event.tag[:40]}) stands here", "Write the value without it.")
        )
