"""TOML files and tables as typed values; every error in one line that names the file and the key."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from diagnose.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


def refuse_unknown(document: Mapping[str, Any], known: set[str], what: str, hint: str) -> None:
    """InputError for the first key of a TOML document that is not known."""
    unknown = sorted(set(document) - known)
    if unknown:
        raise InputError(f"{what} {unknown[0]!r}; {hint}")


def decode(value: Any, kind: type[T], where: str) -> T:
    """Value as a typed struct; InputError with where and msgspec's own words."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text, _, at = str(error).partition(" - at ")
        raise InputError(f"{where}{at.strip('`').removeprefix('$')}: {text}") from None


def read_toml(path: str) -> dict[str, Any]:
    """A TOML file as a dict; InputError in one line for what cannot be read."""
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # both TOML and its text encoding raise ValueErrors
        raise InputError(f"{path}: not valid TOML ({error})") from None
