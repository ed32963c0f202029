"""Formulas as MathML, which browsers render themselves: no script and no network."""

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)


def to_mathml(node, *, as_block):
    """The MathML of a node, or its LaTeX with a warning where the converter does not support it."""
    source = node.astext().strip()
    try:
        if r"\overline" in source:
            logger.warning("formula %r: browsers draw short bars; write ^*", source, location=node)
        return tex2mathml(source, as_block=as_block)
    except MathError as error:
        logger.warning("formula %r: %s", source, error, location=node)
        return f"<code>{source}</code>"


def visit_inline(translator, node):
    translator.body.append(to_mathml(node, as_block=False))
    raise nodes.SkipNode


def visit_block(translator, node):
    translator.body.append(f'<div class="math">{to_mathml(node, as_block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
