"""Text from a language model, made safe for a terminal."""


def strip_controls(text: str) -> str:
    """Return the text without characters that control a terminal or the reading direction."""
    return "".join(each for each in text if each.isprintable() or each == "\n")
