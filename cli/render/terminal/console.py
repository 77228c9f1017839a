"""The terminal, safe from what is printed."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from quant.wording import strip_controls


class SafeConsole(Console):
    """Prints no control characters of a text from outside.

    A note, a name or an error may come from anybody. In a terminal, control characters could hide
    or forge what stands elsewhere, or type commands.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the segments of what is printed. Rich's own control codes stay."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(strip_controls(segment.text), segment.style)
