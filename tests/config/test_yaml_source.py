from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postdeploy.config.node import Node, plain
from postdeploy.config.report import Report
from postdeploy.config.yaml_source import SUITE_LIMIT, TARGETS_LIMIT, read_yaml


def read(path: Path, data: bytes | str, limit: int = TARGETS_LIMIT) -> tuple[Node | None, list[str]]:
    """The document of a file with this content, and what is wrong with it, without its path."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    report = Report("f")
    node = read_yaml(path, report, limit)
    return node, [str(problem).removeprefix("f:") for problem in report.problems]


HOSTILE: list[tuple[str, bytes | str, str]] = [
    ("alias", "a: 1\nb: *a\n", "2:4: alias '*a' (aliases are not allowed: write the value out)"),
    ("anchor", "a: &x 1\n", "1:4: anchor '&x' (anchors are not allowed: write the value where it is used)"),
    ("cycle", "a: &a {b: *a}\n", "1:4: anchor '&a' (anchors are not allowed: write the value where it is used)"),
    (
        "merge key",
        "a:\n  <<: {b: 1}\n",
        "2:3: merge key '<<' (merge keys are not allowed: write the values out, or use 'extends')",
    ),
    ("tag", "a: !env X\n", "1:4: tag '!env' (tags are not allowed: write the plain value)"),
    (
        "python tag",
        "a: !!python/object/apply:os.system [x]\n",
        "1:4: tag 'tag:yaml.org,2002:python/object/apply:os.system' (tags are not allowed: write the plain value)",
    ),
    ("duplicate key", "a: 1\nb: 2\na: 3\n", "3:1: duplicate key 'a' (first at line 1)"),
    ("nested duplicate", "a:\n  b: 1\n  'b': 2\n", "3:3: duplicate key 'b' (first at line 2)"),
    ("second document", "a: 1\n---\nb: 2\n", "2:1: a second document starts here (one file holds one document)"),
    ("tab", "a:\n\tb: 1\n", "2:1: a tab indents this line (use spaces)"),
    ("tab after spaces", "a:\n  \tb: 1\n c\n", "2:3: a tab indents this line (use spaces)"),
    ("UTF-16", "a: 1".encode("utf-16"), "1:1: the file is UTF-16 (save it as UTF-8)"),
    ("Latin-1", b"a: 1\nb: caf\xe9\n", "2:7: byte 0xe9 is not UTF-8 (save the file as UTF-8)"),
    ("NUL", "a: 1\r\nb: \0\n", "2:4: control character U+0000 (remove it)"),
    ("ESC", "a: \x1b[31m\n", "1:4: control character U+001B (remove it)"),
    (
        "surrogate",
        'a: "\\ud800"\n',
        "1:7: not YAML: while parsing a quoted scalar: found invalid Unicode character escape code",
    ),
    ("empty", "", "1:1: the file is empty (begin with 'checks:')"),
    ("blank", " \n\n", "1:1: the file is empty (begin with 'checks:')"),
    ("comments", "# nothing\n", "1:1: the file holds only comments"),
    (
        "text at the top",
        "text\n",
        "1:1: the file must hold a mapping at its top level (begin with a key such as 'checks:')",
    ),
    (
        "list at the top",
        "- a\n",
        "1:1: the file must hold a mapping at its top level (begin with a key such as 'checks:')",
    ),
    ("depth", "a: " + "[" * 100, "1:23: nested more than 20 levels deep (flatten it)"),
    (
        "template",
        "a: {{ x }}\n",
        "1:5: a key must be a text (put a text that begins with '{' or '[' in quotes)",
    ),
    (
        "broken template",
        "a: 1\nb: x: {{ y }}\n",
        (
            "2:5: not YAML: mapping values are not allowed in this context"
            " (put a text that holds '{{' or begins with '{', '[', '@', '`' or '%' in quotes)"
        ),
    ),
    ("open bracket", "a: [\n", "2:1: not YAML: while parsing a flow node: did not find expected node content"),
    ("too large", "#" * (TARGETS_LIMIT + 1), " larger than 256 KiB (split it into several files)"),
]


@pytest.mark.parametrize(("data", "message"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_hostile_yaml_is_refused_with_its_place(tmp_path: Path, data: bytes | str, message: str) -> None:
    """Every kind of input that YAML loaders get wrong is refused, and the message says where and why."""
    _, found = read(tmp_path / "f", data)
    assert found[0] == message


def test_depth_without_end(tmp_path: Path) -> None:
    """What is too deep even for the parser is refused in the same words, where the parser gave up."""
    _, found = read(tmp_path / "f", "a: " + "[" * 100_000)
    assert [line.partition(": ")[2] for line in found] == ["nested more than 20 levels deep (flatten it)"]


def test_a_merge_key_bomb_is_never_expanded(tmp_path: Path) -> None:
    """Nested merge keys, which take other loaders minutes, are only listed: one problem for each wrong word."""
    levels = ["a0: &a0 {x: 1}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 9)]
    _, found = read(tmp_path / "f", "\n".join(levels))
    assert 80 < len(found) <= 100


def test_so_many_problems_are_enough(tmp_path: Path) -> None:
    """A file that is wrong everywhere is not read to its end."""
    _, found = read(tmp_path / "f", "a: 1\n" * 5000)
    assert len(found) == 100


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    """What Windows editors put at the beginning is skipped."""
    node, found = read(tmp_path / "f", b"\xef\xbb\xbfa: 1\n")
    assert found == []
    assert node is not None
    assert plain(node) == {"a": 1}


def test_values_and_keys_know_their_places(tmp_path: Path) -> None:
    """Lines and columns are 1-based, for keys and for values, in blocks and in flow."""
    node, _ = read(tmp_path / "f", "a:\n  - b: {c: 'x'}\n")
    assert node is not None
    c = node.value["a"].value[0].value["b"].value["c"]
    assert (c.key, c.at) == ((2, 9), (2, 12))


def test_a_template_is_seen_through_all_levels(tmp_path: Path) -> None:
    """A mapping or list knows whether a text or a key in it is to be filled in."""
    node, _ = read(tmp_path / "f", "a: [[x, '${y}']]\nb: {c: d}\n'e${f}': {}\n")
    assert node is not None
    assert (node.templated, node.value["a"].templated, node.value["b"].templated) == (True, True, False)


def test_a_file_that_is_not_there_is_a_problem_of_its_own(tmp_path: Path) -> None:
    """The problem carries the way out that the caller knows."""
    report = Report("f")
    assert read_yaml(tmp_path / "none", report, 1, "write one") is None
    assert str(report.problems[0]) == "f: no such file (write one)"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A path that leads to anything but a file is refused before it is opened."""
    report = Report("f")
    assert read_yaml(tmp_path, report, 1) is None
    assert str(report.problems[0]) == "f: not a file"


def test_a_file_that_may_not_be_read_is_a_problem() -> None:
    """What the system says is passed on; root, who may read everything, is nobody meanwhile."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "f")
        path.write_text("a: 1")
        path.chmod(0)
        Path(folder).chmod(0o755)
        report, user = Report("f"), os.geteuid()
        os.seteuid(65534 if user == 0 else user)
        try:
            assert read_yaml(path, report, 10) is None
        finally:
            os.seteuid(user)
    assert str(report.problems[0]) == "f: cannot be read: Permission denied"


def test_an_error_of_the_system_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails is reported, not raised."""
    path = tmp_path / "f"
    path.write_text("a: 1")
    monkeypatch.setattr(Path, "open", lambda *_args: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    report = Report("f")
    assert read_yaml(path, report, 10) is None
    assert str(report.problems[0]) == "f: cannot be read: Input/output error"


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_raise(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever is in a file, reading it ends with a mapping or with a problem."""
    path = tmp_path_factory.mktemp("any") / "f"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    report = Report("f")
    node = read_yaml(path, report, SUITE_LIMIT)
    assert report.problems or isinstance(node and node.value, dict)


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.text("abc", min_size=1),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text("xyz ${}")),
            lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
            max_leaves=10,
        ),
        min_size=1,
    )
)
def test_json_reads_as_itself(tmp_path_factory: pytest.TempPathFactory, document: dict[str, object]) -> None:
    """Every JSON document (that is not too deep) is YAML and means the same."""
    import json

    node, found = read(tmp_path_factory.mktemp("json") / "f", json.dumps(document))
    assert found == []
    assert node is not None
    assert plain(node) == document
