"""Result -> text.  A renderer reads a result and nothing else; it measures nothing.  A module a form."""

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
    "sensitivity",
    "sounds",
    "summary",
    "terminal",
]
