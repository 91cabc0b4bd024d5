"""An undo log of what one input changes in memory, so that a refused read takes all of it back and nothing of it stays.

SQLite rolls back what is in the journal; this does the same for what lies beside it (law L12). It knows mappings,
lists, sets and attributes, and nothing of what they mean.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NoReturn, Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_ABSENT: Final = object()
_SET, _POP, _APPEND = dict.__setitem__, dict.pop, list.append


class UndoLog:
    """What takes each change back, newest last. Not thread-safe: the loop that owns the memory owns it.

    Savepoints nest as in SQL. Outside of every savepoint nothing is noted.
    """

    __slots__ = ("_depth", "is_open", "steps")

    def __init__(self) -> None:
        self.steps: list[tuple[Any, ...]] = []
        """What takes each change back: a call with its arguments. For this module alone."""
        self._depth = 0
        self.is_open = False
        """Whether a change made now may be taken back."""

    def savepoint(self) -> int:
        """Begins one, and names it for ``rollback``."""
        self._depth += 1
        self.is_open = True
        return len(self.steps)

    def note(self, undo: Callable[..., object], *given: object) -> None:
        """``undo(*given)`` takes the next change back; calling it twice must do no more than calling it once."""
        if self.is_open:
            self.steps.append((undo, *given))

    def rollback(self, savepoint: int) -> None:
        """Takes back what was changed since; the savepoint stands. After an error of its own it may be called again."""
        self.is_open = False
        while len(self.steps) > savepoint:
            undo, *given = self.steps[-1]
            undo(*given)
            del self.steps[-1]
        self.is_open = True

    def release(self) -> None:
        """Ends the innermost savepoint; with the last one everything that was changed stays."""
        self._depth -= 1
        if self._depth == 0:
            self.steps.clear()
            self.is_open = False


class Undoable:
    """Something whose attributes are noted before they change; without a log of its loop nothing is taken back."""

    _undo: UndoLog

    def __init__(self, undo: UndoLog | None = None) -> None:
        object.__setattr__(self, "_undo", UndoLog() if undo is None else undo)

    def __setattr__(self, name: str, value: object) -> None:
        undo = self._undo
        if undo.is_open:
            was = getattr(self, name, _ABSENT)
            if was is not _ABSENT:  # else it is just being made, and nobody could know it after a rollback
                undo.note(object.__setattr__, self, name, was)
        object.__setattr__(self, name, value)


def _refuse(*_: object) -> NoReturn:
    raise TypeError("this would change what no rollback brings back: use what is noted")


class UndoDict(dict[K, V]):
    """A mapping whose changes are noted; after a rollback its keys stand in their old order, too."""

    __slots__ = ("_undo",)

    def __init__(self, undo: UndoLog, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        super().__init__(items)
        self._undo = undo

    def __setitem__(self, key: K, value: V) -> None:
        undo = self._undo
        if undo.is_open:  # here and in ``append`` without ``note`` and ``super``: both are called for every message
            undo.steps.append((_SET, self, key, self[key]) if key in self else (_POP, self, key, None))
        _SET(self, key, value)

    def exchange(self, key: K, was: V, value: V) -> None:
        """Sets what stands at ``key``, where ``was`` stands now: for what is changed by nearly every message."""
        undo = self._undo
        if undo.is_open:
            undo.steps.append((_SET, self, key, was))
        _SET(self, key, value)

    def __delitem__(self, key: K) -> None:
        if self._undo.is_open and key in self:  # put back alone it would stand last, so the whole is noted
            self._undo.note(self._refill, dict(self))
        super().__delitem__(key)

    def pop(self, key: K, default: V | None = None) -> V | None:  # type: ignore[override] # no KeyError
        """Takes a key out; ``default`` where it is not there."""
        found = self.get(key, default)
        if key in self:
            del self[key]
        return found

    def update(self, more: Mapping[K, V] | Iterable[tuple[K, V]]) -> None:  # type: ignore[override] # one argument
        """Sets each of these."""
        for key, value in dict(more).items():
            self[key] = value

    def take(self) -> dict[K, V]:
        """What it holds, handed over; it holds nothing any more."""
        taken = dict(self)
        if self._undo.is_open:
            self._undo.note(self._refill, dict(taken))
        super().clear()
        return taken

    setdefault = popitem = clear = __ior__ = _refuse

    def _refill(self, was: Mapping[K, V]) -> None:
        dict.clear(self)
        dict.update(self, was)


class UndoSet(set[V]):
    """A set of which one element at a time comes or goes."""

    __slots__ = ("_undo",)

    def __init__(self, undo: UndoLog, items: Iterable[V] = ()) -> None:
        super().__init__(items)
        self._undo = undo

    def add(self, item: V) -> None:
        """Puts one in."""
        if item not in self:
            self._undo.note(set.discard, self, item)
            super().add(item)

    def discard(self, item: V) -> None:  # type: ignore[override] # of its own kind
        """Takes one out, if it is there."""
        if item in self:
            self._undo.note(set.add, self, item)
            super().discard(item)

    remove = pop = clear = update = __ior__ = __iand__ = __isub__ = __ixor__ = _refuse


def _cut(items: list[Any], length: int) -> None:
    list.__delitem__(items, slice(length, None))


class UndoList(list[V]):
    """A list that grows, noted by its length, and is handed over as a whole."""

    __slots__ = ("_undo",)

    def __init__(self, undo: UndoLog, items: Iterable[V] = ()) -> None:
        super().__init__(items)
        self._undo = undo

    def append(self, item: V) -> None:
        """Puts one at the end."""
        undo = self._undo
        if undo.is_open:
            undo.steps.append((_cut, self, len(self)))
        _APPEND(self, item)

    def extend(self, items: Iterable[V]) -> None:
        """Puts these at the end."""
        self._undo.note(_cut, self, len(self))
        super().extend(items)

    def __iadd__(self, items: Iterable[V]) -> Self:  # type: ignore[misc, override] # only what ``extend`` takes
        self.extend(items)
        return self

    def take(self) -> list[V]:
        """What it holds, handed over; it holds nothing any more."""
        taken = list(self)
        if self._undo.is_open:
            self._undo.note(self._refill, taken.copy())
        super().clear()
        return taken

    insert = pop = remove = clear = sort = reverse = __setitem__ = __delitem__ = _refuse  # type: ignore[assignment] # a list's own

    def _refill(self, was: list[V]) -> None:
        list.__setitem__(self, slice(None), was)
