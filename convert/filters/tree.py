"""A filter as a tree, and back as text."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

BARE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+*?[]{}~^$#&|;!<>")
"""Characters that need no quotes in a value. (More are taken; these are safe wherever a value stands.)"""

LIST_OPERATORS: Final = ("in", "pmatch", "intersects")


@dataclass(frozen=True, slots=True)
class Check:
    """`field operator values`; `field` is as written, with its argument. Places are for messages, in characters."""

    field: str
    operator: str
    values: tuple[str, ...] = ()
    place: int = dataclasses.field(default=0, compare=False)
    operator_place: int = dataclasses.field(default=0, compare=False)
    value_places: tuple[int, ...] = dataclasses.field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold."""

    child: Tree


@dataclass(frozen=True, slots=True)
class And:
    """All hold; two children at least."""

    children: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One holds; two children at least."""

    children: tuple[Tree, ...]


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
