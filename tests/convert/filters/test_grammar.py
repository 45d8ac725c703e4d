"""From text to tree and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syswire.convert.filters.errors import FilterError
from syswire.convert.filters.grammar import DEEPEST, parse
from syswire.convert.filters.lexer import SYMBOLS, WORDS
from syswire.convert.filters.tree import LIST_OPERATORS, And, Check, Not, Or, Tree, checks, text

A, B, C = (Check("proc.name", "=", (name,)) for name in "abc")

WRITTEN = {
    "proc.name=a": A,
    "  proc.name   =\ta  ": A,
    "proc.name==a": A,
    "proc.name='a'": A,
    'proc.name="a"': A,
    "(proc.name=a)": A,
    "((proc.name=a))": A,
    "proc.name=a and proc.name=b": And((A, B)),
    "proc.name=a and proc.name=b or proc.name=c": Or((And((A, B)), C)),
    "proc.name=a or proc.name=b and proc.name=c": Or((A, And((B, C)))),
    "(proc.name=a or proc.name=b) and proc.name=c": And((Or((A, B)), C)),
    "(proc.name=a)or(proc.name=b)": Or((A, B)),
    'proc.name="a"and proc.name=b': And((A, B)),
    "not proc.name=a and proc.name=b": And((Not(A), B)),
    "not(proc.name=a and proc.name=b)": Not(And((A, B))),
    "not not proc.name=a": Not(Not(A)),
    "proc.name in (a,b , 'c d')": Check("proc.name", "in", ("a", "b", "c d")),
    "proc.name in(a)": Check("proc.name", "in", ("a",)),
    "proc.name in ()": Check("proc.name", "in", ()),
    "fd.name pmatch (/etc, /var/log)": Check("fd.name", "pmatch", ("/etc", "/var/log")),
    "fd.name exists": Check("fd.name", "exists"),
    "(fd.name exists)": Check("fd.name", "exists"),
    "evt.dir=<": Check("evt.dir", "=", ("<",)),
    "evt.dir = >": Check("evt.dir", "=", (">",)),
    "evt.dir=>": Check("evt.dir", "=", (">",)),
    "evt.dir!=<": Check("evt.dir", "!=", ("<",)),
    "evt.dir==<": Check("evt.dir", "=", ("<",)),
    "evt.num< 5": Check("evt.num", "<", ("5",)),
    "evt.num>=5": Check("evt.num", ">=", ("5",)),
    "proc.name=in": Check("proc.name", "=", ("in",)),
    "proc.name=a,b": Check("proc.name", "=", ("a,b",)),
    'proc.name contains"a"': Check("proc.name", "contains", ("a",)),
    "evt.arg[0]=x": Check("evt.arg[0]", "=", ("x",)),
    "evt.rawarg.res>0": Check("evt.rawarg.res", ">", ("0",)),
    "container.mount[/usr/*] exists": Check("container.mount[/usr/*]", "exists"),
    "k8s.pod.label.app.kubernetes.io/name=x": Check("k8s.pod.label.app.kubernetes.io/name", "=", ("x",)),
    r'proc.name="a\"b\\c"': Check("proc.name", "=", ('a"b\\c',)),
    r'proc.name="\x63\xc3\xa9\xff"': Check("proc.name", "=", ("cé\udcff",)),
    r"proc.name regex \d+": Check("proc.name", "regex", (r"\d+",)),
}


@pytest.mark.parametrize("filter", WRITTEN)
def test_what_a_filter_means(filter: str) -> None:
    assert parse(filter) == WRITTEN[filter]


@pytest.mark.parametrize("filter", ["", "  ", "\t\n"])
def test_an_empty_filter_has_no_tree(filter: str) -> None:
    assert parse(filter) is None


def test_places_are_those_of_the_text() -> None:
    tree = parse("fd.num=1 and proc.name in (ab, cd)")
    assert tree is not None
    assert [(c.place, c.operator_place, c.value_places) for c in checks(tree)] == [(0, 6, (7,)), (13, 23, (27, 31))]


def test_deep_brackets_are_refused_and_not_too_deep_ones_read() -> None:
    assert parse("(" * DEEPEST + "proc.name=a" + ")" * DEEPEST) == A
    for opened in ("(", "not ", "(not "):
        with pytest.raises(FilterError, match="more than 100 brackets"):
            parse(opened * 100_000 + "proc.name=a")


def test_many_checks_are_read() -> None:
    tree = parse(" or ".join(["proc.name=a"] * 50_000))
    assert isinstance(tree, Or)
    assert len(tree.children) == 50_000


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
NAMES = st.sampled_from(["proc.name", "fd.name", "evt.arg[0]", "evt.arg.fd", "thread.cgroup.cpu", "fd.num"])
PLAIN = st.builds(
    lambda name, operator, value: Check(name, operator, (value,)),
    NAMES,
    st.sampled_from([word for word in (*SYMBOLS, *WORDS) if word not in (*LIST_OPERATORS, "exists", "==")]),
    TEXTS,
)
LISTS = st.builds(
    lambda name, operator, values: Check(name, operator, tuple(values)),
    NAMES,
    st.sampled_from(LIST_OPERATORS),
    st.lists(TEXTS, max_size=4),
)


LEAVES: st.SearchStrategy[Tree] = st.one_of(PLAIN, LISTS, st.builds(lambda name: Check(name, "exists"), NAMES))
TREES: st.SearchStrategy[Tree] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda children: And(tuple(children))),
        st.lists(inner, min_size=2, max_size=3).map(lambda children: Or(tuple(children))),
    ),
    max_leaves=12,
)


@given(TREES)
def test_a_tree_that_is_written_reads_as_itself(tree: Tree) -> None:
    assert parse(text(tree)) == tree


@given(st.text(max_size=60))
def test_any_text_is_a_tree_or_a_mistake_at_a_place(filter: str) -> None:
    try:
        parse(filter)
    except FilterError as error:
        assert 0 <= error.position <= len(filter)
        assert error.message


WORDS_OF_FILTERS = st.sampled_from(
    ["(", ")", "and", "or", "not", "proc.name", "fd.num", "=", "==", "<", "in", "exists", "contains", "a", '"', "'",
     ",", "\\", "\\x", " ", "  ", "evt.arg[", "]", "5"]
)  # fmt: skip


@given(st.lists(WORDS_OF_FILTERS, max_size=20), st.sampled_from(["", " "]))
def test_words_in_any_order_are_a_tree_or_a_mistake(words: list[str], between: str) -> None:
    filter = between.join(words)
    try:
        tree = parse(filter)
    except FilterError as error:
        assert 0 <= error.position <= len(filter)
    else:
        assert tree is None or parse(text(tree)) == tree
