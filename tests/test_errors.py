"""The tree of errors, as the module draws it."""

import errors
from errors import KtrdrError


def draw(error: type[KtrdrError], indent: str = "") -> list[str]:
    """Return the lines below a class, in the order of definition."""
    lines = []
    children = [child for child in error.__subclasses__() if child.__module__ == errors.__name__]
    for child in children:
        branch, below = ("└── ", "    ") if child is children[-1] else ("├── ", "│   ")
        lines += [indent + branch + child.__name__, *draw(child, indent + below)]
    return lines


def test_the_drawn_tree_is_the_tree_of_the_classes() -> None:
    tree = "\n".join(["KtrdrError", *draw(KtrdrError)])
    assert tree in (errors.__doc__ or "").replace("\n    ", "\n")
