"""Reads YAML into plain mappings, lists and texts that remember the line on which each thing stands.

Scalars stay texts: what a text means is for the field to say, so no YAML 1.1 guess turns ``no`` into false or
``07:00`` into 420. No field of ours is known here, and no text can make it raise, recurse or grow without bound.
"""

from typing import Any, Final

import yaml

from telemetry.inventory.faults import Fault

MAX_TEXT_BYTES: Final = 32 * 1024 * 1024
MAX_DEPTH: Final = 16

_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


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


_NODES: Final = (Table, Items)


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


def read(text: str, file: str) -> tuple[object, list[Fault]]:
    """Read one YAML document: a text, ``None``, a ``Table`` or ``Items``, and every fault met on the way.

    Anchors, aliases, tags and keys that are not texts are refused, never followed; what could not be read to its end
    is ``None``.
    """
    root: object = None
    reading = _Reading(text)
    try:
        _refuse_unfit(text)
        root = reading.root()
    except _UnreadableError as stop:
        reading.troubles.append(stop)
    except yaml.YAMLError as error:
        reading.troubles.append(_misread(error, text))
    return root, [Fault(file, each.line, "", "", each.problem, each.remedy) for each in reading.troubles]


class _UnreadableError(Exception):
    """What is wrong with the text as YAML. Where it is raised reading stops: what stands below cannot be trusted."""

    def __init__(self, line: int, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.line, self.problem, self.remedy = line, problem, remedy


class _Reading:
    """Puts libyaml's events together into one tree. It goes no deeper than ``MAX_DEPTH``, so it may call itself."""

    def __init__(self, text: str) -> None:
        self._events: Any = yaml.parse(text, Loader=_Loader)  # the stubs of PyYAML leave events untyped
        self.troubles: list[_UnreadableError] = []

    def root(self) -> object:
        """What the text says; raises ``_UnreadableError`` or ``YAMLError`` where reading has to stop."""
        root: object = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.NodeEvent):
                root = _begun(event, 0)
                if isinstance(root, _NODES):
                    self._fill(root, 1)
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _UnreadableError(_line(event), "a second document begins here", "Remove the line '---'.")
        return root

    def _fill(self, node: Table | Items, depth: int) -> None:
        """Read what stands in a mapping or list, to its end."""
        for event in self._events:
            if isinstance(event, yaml.CollectionEndEvent):
                return
            line = _line(event)
            if isinstance(node, Items):
                value = _begun(event, depth)
                node.lines[len(node)] = line
                node.append(value)
            else:
                key = _key(event)
                value = _begun(next(self._events), depth)
                if key in node:
                    problem = f"key {key[:40]!r} stands here again, first on line {node.lines[key]}"
                    self.troubles.append(_UnreadableError(line, problem, "Keep one of the two."))
                else:
                    node[key] = value
                    node.lines[key] = line
            if isinstance(value, _NODES):
                self._fill(value, depth + 1)


def _begun(event: Any, depth: int) -> object:  # noqa: ANN401  # see _Reading
    """The text, or the mapping or list that begins here, still empty."""
    _refuse_marks(event)
    if isinstance(event, yaml.ScalarEvent):
        return None if not event.style and event.value in _NULLS else event.value
    if depth >= MAX_DEPTH:
        raise _UnreadableError(_line(event), f"nested deeper than {MAX_DEPTH} levels", "Close the brackets.")
    return Table(_line(event)) if isinstance(event, yaml.MappingStartEvent) else Items(_line(event))


def _key(event: Any) -> str:  # noqa: ANN401  # see _Reading
    _refuse_marks(event)
    if not isinstance(event, yaml.ScalarEvent):
        raise _UnreadableError(_line(event), "a key has to be a text", "Write 'key: value'.")
    return event.value


def _refuse_marks(event: Any) -> None:  # noqa: ANN401  # see _Reading
    if isinstance(event, yaml.AliasEvent):
        raise _UnreadableError(_line(event), "an alias (*) stands here", "Write the value out in full.")
    if event.anchor is not None:
        raise _UnreadableError(_line(event), f"an anchor (&{event.anchor[:40]}) stands here", "Remove it.")
    if event.tag is not None:
        raise _UnreadableError(_line(event), f"a tag ({event.tag[:40]}) stands here", "Write the value without it.")


def _line(event: Any) -> int:  # noqa: ANN401  # see _Reading
    line: int = event.start_mark.line
    return line + 1


def _refuse_unfit(text: str) -> None:
    """Refuse what is not even looked at as YAML: by its size, or for characters that no text file has."""
    if len(text) > MAX_TEXT_BYTES:
        problem = f"the text is longer than {MAX_TEXT_BYTES} characters"
        raise _UnreadableError(1, problem, "Give an inventory, not a recording.")
    strange = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if strange is not None:
        line = text.count("\n", 0, strange.start()) + 1
        problem = f"a control character stands here: {strange.group()!r}"
        raise _UnreadableError(line, problem, "Save the file as plain UTF-8 text.")


def _misread(error: yaml.YAMLError, text: str) -> _UnreadableError:
    mark = getattr(error, "problem_mark", None)
    last = len(f"{text}.".splitlines())
    return _UnreadableError(
        min(mark.line + 1, last) if mark else 1,  # libyaml may point behind the end
        f"this is not YAML: {getattr(error, 'problem', None) or 'something else was expected'}",
        "Look at brackets, quotes, colons, tabs and indentation on this line and the one above.",
    )
