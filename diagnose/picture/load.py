"""File -> pixels: other files, damaged pictures and too large ones are refused in one line."""

from __future__ import annotations

import os
import stat
import struct
import warnings
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from diagnose.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

# The formats a figure is saved in.  Pillow knows more, and hands some of them to other programs (EPS to Ghostscript).
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
# A figure of 20 by 15 inches at 300 dpi has 27 million.  A header of 30 bytes may claim any number, and the memory
# is taken before the first row is decoded.
MOST_PIXELS = 40_000_000
EIGHT_BIT = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
# What Pillow raises for a broken file, by format and by where it is broken.
BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)


def read_pixels(path: str | os.PathLike[str]) -> Pixels:
    """The pixels of a picture [shape=(height, width, 3)], RGB, laid on white where they are transparent.

    Of an animation the first picture.  Raises InputError, in one line that begins with the path, for what is not a
    whole picture of a known format with 8 bits a channel and at most 40 million pixels.
    """
    name = os.fspath(path)
    try:
        mode = os.stat(name).st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{name}: is a directory; give a picture")
        if not stat.S_ISREG(mode):  # opening a pipe nobody writes to would wait for ever
            raise InputError(f"{name}: is not a regular file; give a picture")
        if os.path.getsize(name) == 0:
            raise InputError(f"{name}: the file is empty (0 bytes)")
        file = open(name, "rb")  # noqa: SIM115  # closed below; its errors are told from those of decoding
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or error}") from None
    except ValueError as error:  # a null byte in the path
        raise InputError(f"{name}: not a path ({error})") from None
    # Pillow warns of large pictures, broken metadata and palettes; what matters here is said as an error.
    with file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(file, formats=FORMATS) as image:
                _check(image, name)
                return _on_white(image)
        except Image.DecompressionBombError:
            raise InputError(f"{name}: too large; at most {MOST_PIXELS:,} pixels are allowed") from None
        except UnidentifiedImageError:
            raise InputError(f"{name}: not a picture; use {', '.join(FORMATS)}") from None
        except BROKEN as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise InputError(f"{name}: the picture is damaged ({why})") from None


def _check(image: Image.Image, name: str) -> None:
    """Size and kind of pixel, from the header alone."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise InputError(f"{name}: {width} x {height} pixels; at most {MOST_PIXELS:,} are allowed")
    if image.mode not in EIGHT_BIT:
        raise InputError(f"{name}: pixel format {image.mode} is not supported; save it with 8 bits per channel")


def _on_white(image: Image.Image) -> Pixels:
    if image.mode == "RGB" and "transparency" not in image.info:
        return np.asarray(image)
    seen = image.convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB"))
