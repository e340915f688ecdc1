"""`matrix:`: one object for each combination, in a fixed order, bounded, with the place of the one document."""

from __future__ import annotations

import pytest

from support.folders import CLOUDSPACE, POOL, STACK, hints_of, overlay, problems_of, read, written

pytestmark = pytest.mark.usefixtures("folder")


def pool(matrix: str, name: str = "w-${matrix:a}", more: str = "") -> str:
    """A pool with a matrix."""
    return POOL.replace("metadata:", f"matrix: {matrix}\nmetadata:").replace("name: workers", f"name: {name}") + more


def names(matrix: str, name: str = "w-${matrix:a}", **options: object) -> list[str]:
    """The names of the pools that one document makes."""
    written({"a.yaml": pool(matrix, name)})
    return [each.name for each in read("a.yaml", **options).manifests]


@pytest.mark.parametrize(
    ("matrix", "name", "made"),
    [
        ("{a: [x, y]}", "w-${matrix:a}", ["w-x", "w-y"]),
        ("{b: [y, x], a: [1, 2]}", "${matrix:a}-${matrix:b}", ["1-y", "2-y", "1-x", "2-x"]),
        ("{include: [{a: x}, {a: y}]}", "w-${matrix:a}", ["w-x", "w-y"]),
        ("{a: [x], include: [{a: y, b: 3}]}", "w-${matrix:a}${matrix:b:-0}", ["w-x0", "w-y3"]),
        ("{a: [true, false]}", "w-${matrix:a}", ["w-true", "w-false"]),
    ],
)
def test_each_combination_is_an_object(matrix: str, name: str, made: list[str]) -> None:
    """In the order in which they are written; the first name changes slowest."""
    assert names(matrix, name) == made


def test_a_value_alone_keeps_its_type() -> None:
    """Like a variable."""
    written({"a.yaml": pool("{include: [{a: 1, t: {x: 1}}]}")})
    assert "matrix.include.0.t: must be a name with a string" in problems_of("a.yaml")[0]
    written({"a.yaml": pool("{a: [1, 2]}").replace("desired: 2", "desired: ${matrix:a}")})
    assert [each.spec["desired"] for each in read("a.yaml").manifests] == [1, 2]


def test_a_list_can_be_a_variable() -> None:
    """So an environment chooses its combinations."""
    stack = f"{STACK}spec: {{variables: {{all: {{type: list, default: [x]}}}}}}\n"
    written({"a.yaml": f"{stack}---\n" + pool("{a: '${var:all}'}")})
    assert [each.name for each in read("a.yaml").manifests] == ["w-x"]
    assert [each.name for each in read("a.yaml", variables={"all": "y,z"}).manifests] == ["w-y", "w-z"]


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ("{}", "3:1: matrix: the matrix has no combinations"),
        ("{a: []}", "3:1: matrix: the matrix has no combinations"),
        ("[]", "3:1: matrix: a matrix is a mapping"),
        ("null", "3:1: matrix: a matrix is a mapping"),
        ("{a: x}", "3:10: matrix.a: must be a list"),
        ("{a: [x, {y: z}]}", "3:17: matrix.a.1: must be a string, a number, true or false"),
        ("{a: [null]}", "3:14: matrix.a.0: must be a string"),
        ("{'a b': [x]}", "3:10: matrix.a b: a name in a matrix is letters"),
        ("{include: {a: x}}", "3:10: matrix.include: must be a list"),
        ("{include: [x]}", "3:20: matrix.include.0: must be a mapping"),
        ("{include: [{}]}", "3:20: matrix.include.0: must be a mapping"),
        ("{a: ['${var:none}']}", "3:14: no variable 'none'"),
        (f"{{a: {list(range(32))}, b: {list(range(32))}}}", "3:1: matrix: the matrix has more than 1000 combinations"),
    ],
)
def test_a_matrix_that_cannot_be(matrix: str, said: str) -> None:
    """At its place, and nothing else is said about the document."""
    written({"a.yaml": pool(matrix)})
    (problem,) = problems_of("a.yaml")
    assert problem.startswith(f"a.yaml:{said}")


def test_a_thousand_combinations_are_allowed_and_no_more() -> None:
    """A slip of the finger does not make a million objects."""
    assert len(names(f"{{a: {list(range(1000))}}}")) == 1000
    many = ", ".join(f"n{number}: [1, 2, 3]" for number in range(10_000))
    written({"a.yaml": pool(f"{{{many}}}")})
    assert problems_of("a.yaml") == ["a.yaml:3:1: matrix: the matrix has more than 1000 combinations"]
    written({"a.yaml": pool(f"{{a: {list(range(1001))}}}")})
    assert problems_of("a.yaml") == ["a.yaml:3:1: matrix: the matrix has more than 1000 combinations"]


def test_the_size_of_what_a_matrix_makes_is_bounded() -> None:
    """A large document a thousand times would fill the memory."""
    labels = "".join(f"    l{number}: x\n" for number in range(2000))
    written({"a.yaml": pool(f"{{a: {list(range(1000))}}}", more=f"  customLabels:\n{labels}")})
    assert problems_of("a.yaml") == ["a.yaml:3:1: matrix: the matrix would make more than 1000000 values"]


def test_names_have_to_differ() -> None:
    """The problem says which combination is the second of a name."""
    written({"a.yaml": pool("{a: [x, y], b: [1, 2]}")})
    assert problems_of("a.yaml") == [
        "a.yaml:5:3: spotnodepool/edge/w-x is declared twice (combination 2 of 4: a=x, b=2)",
        "a.yaml:5:3: spotnodepool/edge/w-y is declared twice (combination 4 of 4: a=y, b=2)",
    ]
    assert "first at a.yaml:5:3 (combination 1 of 4: a=x, b=1)" in hints_of("a.yaml")


def test_a_secret_of_a_matrix_is_not_shown() -> None:
    """Where it ends up in a secret field."""
    text = CLOUDSPACE.replace("metadata:", "matrix: {hook: ['${env:ONE}', '${env:TWO}']}\nmetadata:")
    written({"a.yaml": text + "  webhook: https://h.io/${matrix:hook}\n"})
    said = problems_of("a.yaml", environ={"ONE": "s3cret-one", "TWO": "s3cret-two"})
    assert said == ["a.yaml:5:3: cloudspace/edge is declared twice (combination 2 of 2)"]


def test_a_mistake_in_each_combination_is_told_once() -> None:
    """It is one line of one file."""
    written({"a.yaml": pool("{a: [x, y, z]}", more="  regoin: dfw\n  customLabels: {a: '${matrix:b}'}\n")})
    assert problems_of("a.yaml") == [
        "a.yaml:12:18: no matrix value 'b'",
        "a.yaml:11:3: unknown field 'regoin'",
    ]


@pytest.mark.parametrize(
    "document",
    [CLOUDSPACE.replace("dfw", "${matrix:a}"), f"{STACK}spec: {{profile: '${{matrix:a}}'}}\n---\n{CLOUDSPACE}"],
)
def test_without_a_matrix_there_are_no_values(document: str) -> None:
    """Also in a Stack."""
    written({"a.yaml": document})
    (problem,) = problems_of("a.yaml")
    assert "no matrix value 'a'" in problem
    assert "the document has no matrix" in hints_of("a.yaml")


@pytest.mark.parametrize("document", [f"{STACK}matrix: {{a: [x]}}\n---\n{CLOUDSPACE}"])
def test_a_stack_has_no_matrix(document: str) -> None:
    """A run has one."""
    written({"a.yaml": document})
    assert problems_of("a.yaml") == ["a.yaml:4:1: unknown field 'matrix'"]


def test_an_overlay_addresses_single_combinations() -> None:
    """By their names, and may use their values."""
    change = "merge: {spec: {desired: 7, customLabels: {of: '${matrix:a}'}}}"
    written({"a.yaml": pool("{a: [x, y]}"), "b.yaml": overlay("{name: w-y}", change)})
    one, other = read("a.yaml", "b.yaml").manifests
    assert (one.spec["desired"], other.spec["desired"]) == (2, 7)
    assert other.spec["customLabels"] == {"of": "y"}


def test_items_of_a_list_have_a_matrix_of_their_own() -> None:
    """Each item is a document."""
    item = "- " + pool("{a: [x, y]}").strip().replace("\n", "\n  ") + "\n"
    written({"a.yaml": f"apiVersion: v1\nkind: List\nitems:\n{item}"})
    assert [(each.name, str(each.origin)) for each in read("a.yaml").manifests] == [
        ("w-x", "a.yaml:8:5"),
        ("w-y", "a.yaml:8:5"),
    ]
