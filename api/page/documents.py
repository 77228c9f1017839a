"""The documents of the page. They hold no data: that comes by REST, with the reader's key."""

from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

# Scripts and styles are files of ours; nothing is loaded from elsewhere, and no text that a brief,
# a name or a model brings can become a script. A report is shown in a frame of this origin.
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # No text becomes markup here, not even by mistake.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

# The empty document into which the page puts a report, which has styles of its own. As in the
# report's own address, nothing is loaded and no script runs.
FRAME_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-same-origin"
)


def render(template: str, **values: Any) -> str:
    """Return a document."""
    return _load_templates().get_template(template).render(**values)


@cache
def _load_templates() -> Environment:
    return Environment(
        loader=PackageLoader("api.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
