"""The book in tutorials/: reference pages, tables of contents, links, and the levels of the architecture.

`sphinx-build -W tutorials build/book` builds it (`.ci/run`).
"""

import ast
import json
import pathlib
import re
import shlex

import pytest
from test_docstrings import PUBLIC

import spherekit
from spherekit.cli import COMMANDS, _parser

ROOT = pathlib.Path(__file__).parent.parent
BOOK = ROOT / "tutorials"
PACKAGE = pathlib.Path(spherekit.__file__).parent
PAGES = sorted(
    path
    for path in BOOK.rglob("*")
    if path.suffix in (".md", ".rst", ".ipynb") and not path.name.startswith(".")
)


def text_of(page):
    """Markdown or reStructuredText of a page, without code blocks."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return text


def without_code(text):
    return re.sub(r"`[^`\n]+`", "", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))


def toctree_entries(page):
    """Pages that the tables of contents of a page name."""
    text = text_of(page)
    blocks = re.findall(r"^```\{toctree\}\n(.*?)^```$", text, re.M | re.S)
    blocks += re.findall(r"^\.\. toctree::\n((?:[ \t]+.*\n|\n)*)", text, re.M)
    lines = [line.strip() for block in blocks for line in block.split("\n")]
    return [(page.parent / line).resolve() for line in lines if line and not line.startswith(":")]


def test_the_reference_has_every_public_module():
    listed = [
        name
        for page in BOOK.glob("api/*.rst")
        for name in re.findall(r"^\.\. public-api:: (\S+)$", text_of(page), re.M)
    ]
    assert sorted(listed) == sorted(PUBLIC)


def test_every_page_is_in_a_table_of_contents():
    listed = [entry for page in PAGES for entry in toctree_entries(page)]
    assert len(listed) == len(set(listed))
    assert set(listed) == {page.with_suffix("") for page in PAGES if page != BOOK / "index.md"}


def anchors(page):
    """Anchors of the headings of a Markdown page, as GitHub and MyST make them."""
    titles = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text_of(page), flags=re.M | re.S), re.M
    )
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_relative_links_and_images_exist(page):
    text = without_code(text_of(page))
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    targets += re.findall(r"<(?:img|a)[^>]+(?:src|href)=\"([^\"]+)\"", text)
    targets += re.findall(r"^```\{(?:image|figure)\} (\S+)$", text_of(page), re.M)
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        if anchor and linked.suffix == ".md":
            assert anchor in anchors(linked), target


def code_of(page):
    """Lines of code of a page: of its blocks, without directives, or of the cells of a notebook."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        blocks = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    else:
        pairs = re.findall(r"^```([^`\n]*)\n(.*?)^```$", text, re.M | re.S)
        blocks = [block for language, block in pairs if not language.startswith("{")]
    return "\n".join(blocks).split("\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_fits_its_box(page):
    assert not [line for line in code_of(page) if len(line) > 90]


def command_lines(page):
    """The commands of spherekit in the blocks of shell of a page, and in tables of two columns."""
    text = re.sub(r"\$\(\(.*?\)\)|\$\w+", "1", page.read_text(encoding="utf-8"))
    pairs = re.findall(r"^```([^`\n]*)\n(.*?)^```", text, re.M | re.S)
    blocks = [block for language, block in pairs if language in ("", "sh")]
    lines = [line for block in blocks for line in block.replace("\\\n", " ").split("\n")]
    lines += re.findall(
        r"`(spherekit [a-z]+ [^`]*)`", "\n".join(re.findall(r"^\|.*\|$", text, re.M))
    )
    words = [shlex.split(line, comments=True) for line in lines if line.startswith("spherekit ")]
    return [line[1:] for line in words if line[1] in COMMANDS and "COMMAND" not in line]


@pytest.mark.parametrize("name", ["command_line.md", "files.md", "coming_from.md", "../README.md"])
def test_commands_have_these_options(name):
    """Every command of the page is understood; what they do is tested elsewhere."""
    lines = command_lines(BOOK / name)
    assert lines
    for words in lines:
        _, unknown = _parser(words).parse_known_args(words)
        assert not unknown, words


def levels():
    """Number of the level of each package, by the table of the architecture."""
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", text_of(BOOK / "architecture.md"), re.M)
    return {name: int(level) for level, names in rows for name in re.findall(r"`(\w+)`", names)}


def imported_packages(path):
    """Packages of spherekit that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "spherekit":
            below = node.module.split(".")[1:]
            yield from below[:1] or [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            yield from (name[1] for name in names if name[0] == "spherekit" and name[1:])


def test_imports_go_down_the_levels():
    level = levels()
    sources = {
        path: path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for path in PACKAGE.rglob("*.py")
    }
    assert set(level) == set(sources.values()) - {"__init__", "__main__", "_build_backend"}
    upward = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path, package in sources.items()
        for name in imported_packages(path)
        if package in level and name in level and name != package
        if level[name] >= level[package] and (level[package] > 1 or level[name] > 1)
    }
    assert not upward


def test_formulas_are_supported():
    """By the converter of the book to MathML, where Sphinx is installed."""
    converter = pytest.importorskip(
        "docutils.utils.math.latex2mathml", reason="docutils is not installed"
    )
    for page in PAGES:
        for block, inline in re.findall(
            r"\$\$(.+?)\$\$|\$(.+?)\$", without_code(text_of(page)), re.S
        ):
            converter.tex2mathml(block or inline)
