"""What the text of a feature says, as a tree, and the one text that stands for a tree.

No name is looked up here, so that the models of a configuration can read a text without loading an indicator.
"""

from dataclasses import dataclass, field

COMPARE, SUM, PRODUCT, UNARY, ATOM = range(1, 6)
LEVELS = {
    "<": COMPARE, "<=": COMPARE, ">": COMPARE, ">=": COMPARE, "==": COMPARE, "!=": COMPARE,
    "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT,
}  # fmt: skip
"""How strongly each operator binds."""


@dataclass(frozen=True)
class Number:
    """A number, as its shortest decimal text."""

    digits: str
    at: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Named:
    """A column, an indicator or a function; `args` is None where no brackets stand, a gap between commas is None."""

    name: str
    args: tuple["Node | None", ...] | None = None
    frame: str = ""
    at: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Negative:
    inside: "Node"
    at: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Binary:
    sign: str
    left: "Node"
    right: "Node"
    at: int = field(default=1, compare=False)


Node = Number | Named | Negative | Binary


def written(node: Node | None) -> str:
    """The text without spaces and with no more brackets than are needed; read again, it is the same tree."""
    if node is None:
        return ""
    if isinstance(node, Number):
        return node.digits
    if isinstance(node, Negative):
        return "-" + _inside(node.inside, UNARY)
    if isinstance(node, Named):
        args = "" if not node.args else f"({','.join(written(arg) for arg in node.args)})"
        return f"{node.name}{args}{'@' if node.frame else ''}{node.frame}"
    level = LEVELS[node.sign]
    left = _inside(node.left, level + 1 if level == COMPARE else level)
    return f"{left}{node.sign}{_inside(node.right, level + 1)}"


def _level(node: Node) -> int:
    if isinstance(node, Binary):
        return LEVELS[node.sign]
    return UNARY if isinstance(node, Negative) else ATOM


def _inside(node: Node, least: int) -> str:
    return written(node) if _level(node) >= least else f"({written(node)})"
