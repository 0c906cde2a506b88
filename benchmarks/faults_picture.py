"""The picture of benchmarks/faults.py: what was wrong against what was named, and how far confidences hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from pathlib import Path

CELL, LEFT, TOP = 26, 210, 250
CHART, MARGIN = 320, 60
PAPER, INK, SOFT, RIGHT, WRONG = "#ffffff", "#1c1c22", "#b8b8c2", (31, 111, 178), (193, 31, 46)


def draw(result: dict[str, Any], path: Path) -> None:
    """Write the confusion matrix and the reliability chart of a result as one PNG."""
    table = result["confusion"]
    rows = sorted(table)
    columns = [*sorted({*rows, *(named for row in table.values() for named in row)} - {"none"}), "none"]
    width = LEFT + CELL * len(columns) + MARGIN + CHART + MARGIN
    height = max(TOP + CELL * len(rows), TOP + CHART) + MARGIN
    image = Image.new("RGB", (width, height), PAPER)
    _matrix(image, table, rows, columns)
    _chart(ImageDraw.Draw(image), result, LEFT + CELL * len(columns) + MARGIN + 20, TOP)
    _title(ImageDraw.Draw(image), result)
    image.save(path, optimize=True)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _title(pen: ImageDraw.ImageDraw, result: dict[str, Any]) -> None:
    lines = [
        f"timbre-diagnose {result['version']}, {result['date']}: {result['faults']} faults, middle and high severity"
    ]
    for name in ("all", "tuning", "held_out"):
        if name in result:
            graded = result[name]["middle_and_high"]
            lines.append(
                f"{name.replace('_', ' ')}: {graded['pairs']} pairs, right cause first {graded['top_1']:.1%}, "
                f"among the first three {graded['top_3']:.1%}, false alarms {result[name]['clean']['false_alarms']:.1%}"
            )
    for index, line in enumerate(lines):
        pen.text((16, 12 + 20 * index), line, fill=INK, font=_font(14))


def _matrix(image: Image.Image, table: dict[str, dict[str, int]], rows: list[str], columns: list[str]) -> None:
    pen = ImageDraw.Draw(image)
    for y, expected in enumerate(rows):
        total = sum(table[expected].values())
        pen.text((LEFT - 8, TOP + CELL * y + CELL / 2), expected, fill=INK, font=_font(13), anchor="rm")
        for x, named in enumerate(columns):
            box = [LEFT + CELL * x, TOP + CELL * y, LEFT + CELL * (x + 1), TOP + CELL * (y + 1)]
            count = table[expected].get(named, 0)
            pen.rectangle(box, fill=_shade(count / total, RIGHT if named == expected else WRONG), outline="#eeeef2")
            if count:
                dark = count / total > 0.5
                middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
                pen.text(middle, str(count), fill=PAPER if dark else INK, font=_font(11), anchor="mm")
    for x, named in enumerate(columns):
        _upright(image, named, LEFT + CELL * x + CELL // 2, TOP - 6)
    pen.text((LEFT - 8, TOP - 14), "was wrong / was named first", fill=INK, font=_font(12), anchor="rm")


def _shade(share: float, colour: tuple[int, int, int]) -> tuple[int, int, int]:
    strength = 0.0 if share == 0 else 0.15 + 0.85 * share
    red, green, blue = (round(255 + (part - 255) * strength) for part in colour)
    return red, green, blue


def _upright(image: Image.Image, text: str, middle: int, bottom: int) -> None:
    """Text turned by 90 degrees, its end at the bottom."""
    label = Image.new("RGB", (150, 18), PAPER)
    ImageDraw.Draw(label).text((0, 9), text, fill=INK, font=_font(13), anchor="lm")
    turned = label.rotate(90, expand=True)
    image.paste(turned, (middle - 9, bottom - turned.height))


def _chart(pen: ImageDraw.ImageDraw, result: dict[str, Any], left: int, top: int) -> None:
    pen.rectangle([left, top, left + CHART, top + CHART], outline=SOFT)
    pen.line([left, top + CHART, left + CHART, top], fill=SOFT)
    pen.text((left, top - 20), "of causes named with a confidence, how many were right", fill=INK, font=_font(13))
    for part in (0, 0.5, 1):
        pen.text((left + CHART * part, top + CHART + 12), f"{part:.1f}", fill=INK, font=_font(12), anchor="mm")
        pen.text((left - 8, top + CHART * (1 - part)), f"{part:.1f}", fill=INK, font=_font(12), anchor="rm")
    sets = [(name, colour) for name, colour in (("tuning", RIGHT), ("held_out", WRONG)) if name in result]
    for order, (name, colour) in enumerate(sets):
        for row in result[name]["reliability"]:
            x, y = left + CHART * row["said"], top + CHART * (1 - row["right"])
            size = 3 + 1.2 * row["named"] ** 0.3
            pen.ellipse([x - size, y - size, x + size, y + size], outline=colour, width=2)
            below = y + 12 + 12 * order
            pen.text(
                (x, below if below < top + CHART - 4 else y - 14 - 12 * order),
                str(row["named"]),
                fill=colour,
                font=_font(10),
                anchor="mm",
            )
        pen.text(
            (left, top + CHART + 30 + 18 * order),
            f"{name.replace('_', ' ')} (number of causes beside each)",
            fill=colour,
            font=_font(12),
        )
