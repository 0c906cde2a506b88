"""Common parts of all pages: escaping templates, one style, one script, and the content-security policy."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from diagnose.render.metric_pictures import picture_of
from diagnose.render.phrases import (
    alignment_line,
    beside,
    cause_lines,
    channel_lines,
    ledger,
    likelihood,
    limit_text,
    meaning,
    observed_line,
    proof_line,
    repair_lines,
)
from diagnose.render.waterfall import waterfall
from diagnose.text import amount, number, printable
from diagnose.version import VERSION

PAIR_STYLES = ("look.css", "report.css")
PAIR_SCRIPT = "listen.js"
INSIDE = "data:"  # what a page shows and plays lies in it


def page_environment(
    *packages: str, styles: tuple[str, ...] = ("look.css",), script: str | None = None, shown: str = INSIDE
) -> Environment:
    """Templates of diagnose.render, and of the packages named, for pages that extend page.html; everything escaped.

    styles, script: files among the templates, which become the page's one <style> and one <script>.
    shown: where its pictures and sounds may come from, as a Content-Security-Policy says it.
    """
    loader = ChoiceLoader([PackageLoader(package) for package in (*packages, "diagnose.render")])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    look = "\n".join(_own(environment, name) for name in styles)
    own = _own(environment, script) if script else ""
    # Our own files, and nothing of a report's: the only text that goes into a page unescaped.
    environment.globals.update(style=Markup(look), script=Markup(own))  # noqa: S704
    environment.globals.update(policy=policy(look, own, shown), printable=printable, tool_version=VERSION)
    return environment


@lru_cache(maxsize=1)
def pair_environment() -> Environment:
    """The templates with the words that pair.html says figures in."""
    environment = page_environment(styles=PAIR_STYLES, script=PAIR_SCRIPT)
    environment.globals.update(number=number, amount=amount, meaning=meaning, limit_text=limit_text)
    environment.globals.update(alignment_line=alignment_line, observed_line=observed_line)
    environment.globals.update(
        channel_lines=channel_lines, beside=beside, ledger=ledger, proof_line=proof_line, waterfall=waterfall
    )
    environment.globals.update(likelihood=likelihood, cause_lines=cause_lines, picture_of=picture_of)
    environment.globals.update(repair_lines=repair_lines)
    return environment


def policy(style: str, script: str, shown: str = INSIDE) -> str:
    """The Content-Security-Policy of a page with one <style> and one <script>, each admitted by its SHA-256 alone.

    Nothing is fetched, framed or sent; an injected element, attribute or style= does nothing.
    Source: Content Security Policy Level 3, section 2.3.1 (hash-source).
    """
    rules = {
        "default-src": "'none'",
        "img-src": shown,
        "media-src": shown,
        "style-src": _hash(style),
        "script-src": _hash(script) if script else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _own(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]
