"""Docstrings that read well in a terminal, as reStructuredText: ``|m|``, ``a * b`` and indented formulas."""

import re

#: Spans that stay as they are: literals, roles and cross-references, then strong and emphasized text.
SPANS = re.compile(
    r"``.+?``|:[\w:]+:`[^`]+`|`[^`]+`_{0,2}"
    r"|(?<![\w*\\])\*\*(?=[^\s*])(?:\\\*|[^*])+?(?<=\S)\*\*(?![\w*])"
    r"|(?<![\w*\\])\*(?=[^\s*])[^*]+?(?<=\S)\*(?![\w*(])"
)
#: Bars and asterisks, and underscores that would end a reference.
FORMULA = re.compile(r"(?<!\\)([|*]|(?<=\w)_(?!\w))")


def escape(line):
    """A line with escapes before what formulas, and not markup, mean by these signs."""
    bullet, line = re.fullmatch(r"(\s*(?:\* )?)(.*)", line, re.S).groups()
    pieces = []
    end = 0
    for match in SPANS.finditer(line):
        pieces += [line[end : match.start()], match.group()]
        end = match.end()
    pieces.append(line[end:])
    pieces[::2] = [re.sub(FORMULA, r"\\\1", piece) for piece in pieces[::2]]
    return bullet + "".join(pieces)


def indentation(line):
    return len(line) - len(line.lstrip())


def literal_formulas(lines):
    """Mark indented paragraphs of the text before the first section or directive as literal blocks."""
    result = []
    in_block = False
    for i, line in enumerate(lines):
        if re.match(r"\.\. |:\w+.*:|>>> ", line):
            return result + lines[i:]
        if line.strip() and indentation(line) == 0:
            in_block = False
        elif line.strip() and not in_block and i and not lines[i - 1].strip():
            before = next((text for text in reversed(result) if text.strip()), "")
            if not before.rstrip().endswith("::") and not re.match(r"[-*] |\d+\. ", before):
                result += ["::", ""]
            in_block = True
        result.append(line)
    return result


def process(app, what, name, obj, options, lines):
    result = []
    literal_indent = None  # of the paragraph that announces a literal block
    in_doctest = False
    for line in literal_formulas(lines):
        blank = not line.strip()
        if literal_indent is not None and not blank and indentation(line) <= literal_indent:
            literal_indent = None
        in_doctest = not blank and (in_doctest or line.lstrip().startswith(">>> "))
        directive = line.lstrip().startswith(".. ")
        if literal_indent is None and not in_doctest and not directive:
            result.append(escape(line))
            if line.rstrip().endswith("::"):
                literal_indent = indentation(line)
        else:
            result.append(line)
            if directive and literal_indent is None and "::" in line and not in_doctest:
                name_of_directive = line.split("::")[0].split()[-1]
                if name_of_directive in ("math", "code-block", "plot"):
                    literal_indent = indentation(line)
    lines[:] = result


def setup(app):
    app.connect("autodoc-process-docstring", process, priority=900)  # after numpydoc
    return {"parallel_read_safe": True, "parallel_write_safe": True}
