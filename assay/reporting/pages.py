"""Pages: the one way in which every report is set, so that all of them are safe and look alike.

A page is one HTML file that runs no script and fetches nothing; its content security policy says so to the browser.
Every text is escaped. A template extends ``page.html.j2``, which brings the policy, the styles of ``page.css`` and a
way to skip to the content; it fills the blocks ``title``, ``style`` (styles of its own), ``header`` and ``main``.
``tables.html.j2`` has the parts of a table that turns into cards on a telephone; ``redaction.html.j2`` and
``redaction.css`` have what several pages say of redaction. In all of them ``wording``, ``claims`` and ``charts`` are at
hand, and the filters ``digest``, ``count``, ``percent`` and ``href``. Equal content gives equal bytes.
"""

import functools
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from assay.reporting import charts, claims, wording

if TYPE_CHECKING:
    from jinja2 import Environment, Template

VERSION = 2

STYLE, BASE, TABLES = "page.css", "page.html.j2", "tables.html.j2"
REDACTION, REDACTION_STYLE = "redaction.html.j2", "redaction.css"
_TEMPLATES = Path(__file__).with_name("templates")


def template(name: str) -> "Template":
    """The template of this name in ``templates``."""
    return _environment().get_template(name)


def digest(text: str) -> Markup:
    """A digest in twelve digits, the whole of it in its title."""
    bare = text.removeprefix("sha256:")
    return Markup('<code class="digest" title="sha256:{}">{}</code>').format(bare, bare[:12])


def href(path: str) -> str:
    """A path beside the page as a link, which can name no scheme and no other host, whatever the path holds."""
    return f"./{quote(path)}"


@functools.cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"wording": wording, "claims": claims, "charts": charts}
    environment.globals |= {"STYLE": STYLE, "BASE": BASE, "TABLES": TABLES}
    environment.globals |= {"REDACTION": REDACTION, "REDACTION_STYLE": REDACTION_STYLE}
    environment.filters |= {"digest": digest, "count": wording.count, "percent": wording.percent, "href": href}
    return environment
