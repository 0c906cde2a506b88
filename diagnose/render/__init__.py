"""Result -> text.  A renderer reads a result, or a fault of the catalogue, and measures nothing.  A module a form."""

__all__ = [
    "draw",
    "failures",
    "github",
    "history",
    "html",
    "json",
    "junit",
    "layout",
    "markdown",
    "mel",
    "notebook",
    "page",
    "phrases",
    "picture",
    "rule",
    "sensitivity",
    "sounds",
    "summary",
    "terminal",
]
