"""What a mutant is: one file of the house with one small fault put into it, by an operator that has a name.

Its id says where (the qualified name), by which operator, and the how manieth of its kind there. No line stands in it,
so an edit elsewhere changes none, and any one is made again from it. Nothing is run or written here.
"""

import ast
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tests.mirror import PACKAGES, ROOT

COMPARED: Final[Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COUNTED: Final[Mapping[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
CALLED: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
DROPPED: Final = (
    *(ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.Expr),
    *(ast.For, ast.With, ast.Raise, ast.Break, ast.Continue),
)
"""What may be left out of a function; a return answers with nothing instead, an ``if`` has its condition decided."""
UNTOUCHED: Final = frozenset({"annotation", "returns", "decorator_list", "bases", "type_params"})
"""What says of which kind something is and decides nothing; so do a class's keywords (``frozen``, ``gc``)."""


class Mutant(NamedTuple):
    """A fault, what stood there, and the whole file with it."""

    id: str
    line: int
    was: str
    becomes: str
    source: str


class Spot(NamedTuple):
    """A node and where it hangs in the tree."""

    parent: ast.AST
    field: str
    place: int
    node: ast.AST
    scope: tuple[str, ...]
    in_function: bool

    def put(self, node: ast.AST) -> None:
        """This node there."""
        if self.place < 0:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.place] = node


def make(name: str, text: str, wanted: Container[str] | None = None) -> Iterator[Mutant]:
    """The mutants of one file that are ``wanted``, else every one of them, in the order of the file."""
    tree = ast.parse(text)
    for number, line, spot, other in _numbered(name, tree):
        if wanted is not None and number not in wanted:
            continue
        spot.put(other)
        source = ast.unparse(tree)
        spot.put(spot.node)
        yield Mutant(number, line, _short(spot.node), _short(other), source)


def ids(name: str, text: str) -> Iterator[str]:
    """The ids of every mutant of one file, in the order of the file, without a file for each."""
    return (number for number, *_ in _numbered(name, ast.parse(text)))


def _numbered(name: str, tree: ast.AST) -> Iterator[tuple[str, int, Spot, ast.AST]]:
    """What may stand where, each with its id and its line; what would say the same is no mutant."""
    counts, line = Counter[str](), 1
    for spot in _walk(tree, (), in_function=False):
        line = getattr(spot.node, "lineno", line)
        sound = ast.unparse(spot.node)
        for operator, other in _alternatives(spot):
            if ast.unparse(other) == sound:
                continue
            kind = f"{name}:{'.'.join(spot.scope) or '-'}:{operator}"
            counts[kind] += 1
            yield f"{kind}:{counts[kind]}", line, spot, other


def _walk(parent: ast.AST, scope: tuple[str, ...], *, in_function: bool) -> Iterator[Spot]:
    for field, value in ast.iter_fields(parent):
        if field in UNTOUCHED or (field == "keywords" and isinstance(parent, ast.ClassDef)):
            continue
        for place, node in enumerate(value) if isinstance(value, list) else [(-1, value)]:
            if not isinstance(node, ast.AST) or _is_silent(node):
                continue
            yield Spot(parent, field, place, node, scope, in_function)
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            inner = (
                (*scope, node.name)
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                else scope
            )
            yield from _walk(node, inner, in_function=in_function or is_function)


def _is_silent(node: ast.AST) -> bool:
    """Sentences for a reader, names from elsewhere and names of types."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar"))):
            return True
    return False


def _alternatives(spot: Spot) -> Iterator[tuple[str, ast.AST]]:
    """What may stand there instead, each with the name of its operator."""
    node = spot.node
    if spot.in_function and isinstance(node, DROPPED) and not _is_bare(node):
        yield "drop", ast.Pass()
    match node:
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield "none", ast.Return(ast.Constant(None))
        case ast.If() | ast.IfExp() | ast.comprehension() | ast.While() | ast.match_case():
            yield from (("condition", other) for other in _decided(node))
        case ast.Dict() | ast.Tuple() | ast.List():
            yield from (("swap", other) for other in _swapped(spot))
        case ast.Constant(value=bool() as truth):
            yield "truth", ast.Constant(not truth)
        case ast.Constant(value=int() | float() as number):
            yield from (("number", ast.Constant(other)) for other in (number + 1, number - 1))
        case _:
            yield from _reckoned(node)


def _reckoned(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The same of what is counted, compared or joined."""
    match node:
        case ast.Call(func=ast.Name(id=called)) if called in CALLED:
            yield "call", ast.Call(ast.Name(CALLED[called]), node.args, node.keywords)
        case ast.Compare():
            for place, op in enumerate(node.ops):
                for other in COMPARED[type(op)]:
                    ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
                    yield "compare", ast.Compare(node.left, ops, node.comparators)
        case ast.BoolOp():
            yield "boolean", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield "not", node.operand
        case ast.UnaryOp(op=ast.USub()):
            yield "arithmetic", node.operand
        case ast.BinOp() if type(node.op) in COUNTED:
            yield "arithmetic", ast.BinOp(node.left, COUNTED[type(node.op)](), node.right)
        case ast.AugAssign() if type(node.op) in COUNTED:
            yield "arithmetic", ast.AugAssign(node.target, COUNTED[type(node.op)](), node.value)


def _decided(node: ast.AST) -> Iterator[ast.AST]:
    """Its condition as if it always held, and as if it never did."""
    for holds in (True, False):
        said = ast.Constant(holds)
        match node:
            case ast.If():
                yield ast.If(said, node.body, node.orelse)
            case ast.IfExp():
                yield ast.IfExp(said, node.body, node.orelse)
            case ast.While() if not holds:
                yield ast.While(said, node.body, node.orelse)
            case ast.match_case() if node.guard is not None:
                yield ast.match_case(node.pattern, said, node.body)
            case ast.comprehension():
                for place in range(len(node.ifs)):
                    ifs = [*node.ifs[:place], said, *node.ifs[place + 1 :]]
                    yield ast.comprehension(node.target, node.iter, ifs, node.is_async)


def _swapped(spot: Spot) -> Iterator[ast.AST]:
    """Two cells of a table that stand beside each other, each in the other's place; a table is no function's."""
    match spot.node:
        case ast.Dict(keys=keys, values=cells):
            yield from (ast.Dict(keys, other) for other in _turned(cells))
        case ast.Tuple(elts=cells, ctx=ast.Load()) if not spot.in_function:
            yield from (ast.Tuple(other, ast.Load()) for other in _turned(cells))
        case ast.List(elts=cells, ctx=ast.Load()) if not spot.in_function:
            yield from (ast.List(other, ast.Load()) for other in _turned(cells))


def _turned(cells: list[ast.expr]) -> Iterator[list[ast.expr]]:
    for place in range(len(cells) - 1):
        yield [*cells[:place], cells[place + 1], cells[place], *cells[place + 2 :]]


def _is_bare(node: ast.AST) -> bool:
    """Whether it only says of which kind a name is."""
    return isinstance(node, ast.AnnAssign) and node.value is None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _short(node: ast.AST) -> str:
    """On one line, as far as a reader needs it."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def untouched(file: str) -> list[str]:
    """The modules of the house that lead to this file by no import, however far: a mutant of it cannot change them."""
    paths = [path for room in PACKAGES for path in sorted((ROOT / room).rglob("*.py"))]
    uses = {_dotted(path): _used(path) for path in paths if path.stem != "__main__"}
    touched = {_dotted(ROOT / file)}
    while more := {name for name, used in uses.items() if name not in touched and not touched.isdisjoint(used)}:
        touched |= more
    return [name for name in uses if name not in touched and not name.startswith(("dashboards", "firmware_sim"))]


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _used(path: Path) -> set[str]:
    """What a module imports, and the packages around that; a package that does more than speak walks its folder."""
    tree, found = ast.parse(path.read_text("utf-8")), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    if path.stem == "__init__" and len(tree.body) > 1:
        found |= {_dotted(each) for each in path.parent.rglob("*.py") if each != path}
    return found | {name.rpartition(".")[0] for name in (*found, _dotted(path))}
