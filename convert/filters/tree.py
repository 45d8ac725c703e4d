"""A filter as a tree, and back as text."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

BARE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+*?[]{}~^$#&|;!<>")
"""Characters that need no quotes in a value. (More are taken; these are safe wherever a value stands.)"""

LIST_OPERATORS: Final = ("in", "pmatch", "intersects")


class Node:
    """A node of the tree; never changed once made. Two are equal where they judge alike."""

    __slots__ = ()

    def meaning(self) -> tuple[object, ...]:
        """What two equal nodes have in common."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and type(other) is type(self) and other.meaning() == self.meaning()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.meaning()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.meaning()))})"


class Check(Node):
    """`field operator values`; `field` is as written, with its argument. Places are for messages, in characters."""

    __slots__ = ("field", "operator", "operator_place", "place", "value_places", "values")

    def __init__(
        self,
        field: str,
        operator: str,
        values: tuple[str, ...] = (),
        place: int = 0,
        operator_place: int = 0,
        value_places: tuple[int, ...] = (),
    ) -> None:
        self.field = field
        self.operator = operator
        self.values = values
        self.place = place
        self.operator_place = operator_place
        self.value_places = value_places

    def meaning(self) -> tuple[object, ...]:
        """All but the places."""
        return self.field, self.operator, self.values


class Not(Node):
    """What does not hold."""

    __slots__ = ("child",)

    def __init__(self, child: Tree) -> None:
        self.child = child

    def meaning(self) -> tuple[object, ...]:
        """The child."""
        return (self.child,)


class And(Node):
    """All hold; two children at least."""

    __slots__ = ("children",)

    def __init__(self, children: tuple[Tree, ...]) -> None:
        self.children = children

    def meaning(self) -> tuple[object, ...]:
        """The children."""
        return self.children


class Or(Node):
    """One holds; two children at least."""

    __slots__ = ("children",)

    def __init__(self, children: tuple[Tree, ...]) -> None:
        self.children = children

    def meaning(self) -> tuple[object, ...]:
        """The children."""
        return self.children


Tree = Check | Not | And | Or


def checks(tree: Tree) -> list[Check]:
    """Every check of the tree, from left to right."""
    found: list[Check] = []
    waiting: list[Tree] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Check):
            found.append(node)
        elif isinstance(node, Not):
            waiting.append(node.child)
        else:
            waiting.extend(reversed(node.children))
    return found


def quoted(value: str) -> str:
    """A value as it stands in a filter: bare where that is safe, in quotes otherwise."""
    if value and BARE.issuperset(value) and value[0] not in "=<>!":
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\0", "\\x00") + '"'


def text(tree: Tree) -> str:
    """The tree as a filter; parsing that gives the same tree."""
    if isinstance(tree, Check):
        if tree.operator == "exists":
            return f"{tree.field} exists"
        values = ", ".join(map(quoted, tree.values))
        return f"{tree.field} {tree.operator} " + (f"({values})" if tree.operator in LIST_OPERATORS else values)
    if isinstance(tree, Not):
        inner = text(tree.child)
        return f"not {inner}" if isinstance(tree.child, Check | Not) else f"not ({inner})"
    word = " and " if isinstance(tree, And) else " or "
    return word.join(f"({text(child)})" if isinstance(child, And | Or) else text(child) for child in tree.children)
