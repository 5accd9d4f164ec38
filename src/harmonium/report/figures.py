"""A figure inside the page: a small drawing (SVG) as elements of the page, anything else as a picture (PNG) in base64.

A drawing becomes part of one document with all others, so its ids get a prefix of their own and its style rules hold
for it alone; what a page does not need of it (descriptions, ids that nothing refers to) and what could reach beyond the
page (scripts, foreign elements, addresses) is left out.
"""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from markupsafe import Markup, escape

from harmonium.errors import InputError
from harmonium.report.blocks import Figure

#: Bytes of a drawing up to which it is put into the page; larger ones (a mosaic of many pixels) come as pictures.
LARGEST_DRAWING = 150_000

_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_PNG = b"\x89PNG\r\n\x1a\n"
_DROPPED = {"script", "metadata", "foreignObject", "title", "desc", "animate", "set", "handler"}
_REFERENCE = re.compile(r"url\(\s*['\"]?(.*?)['\"]?\s*\)")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_PIXELS_PER_POINT = 96 / 72
_DPI = 150.0  # of harmonium's pictures, where a file does not say


@dataclass(frozen=True)
class Picture:
    """A figure ready for the page: its markup, and its size in the pixels of a page at natural scale."""

    html: Markup
    width: int
    height: int


def picture(figure: Figure, folder: Path, number: int) -> Picture:
    """The figure from its files in `folder`; `number` sets its ids apart from those of other drawings.

    Raises
    ------
    InputError
        If there is neither a drawing nor a picture of that name, or it cannot be read.
    """
    svg, png = (folder / f"{figure.name}{suffix}" for suffix in (".svg", ".png"))
    small = svg.is_file() and svg.stat().st_size < LARGEST_DRAWING
    if small or (svg.is_file() and not png.is_file()):
        return drawing(svg, figure.alt, f"svg{number}")
    if png.is_file():
        return _encoded(png, figure.alt)
    raise InputError(f"figure {figure.name!r} is missing: {svg} and {png} do not exist; draw it before the report.")


def _encoded(path: Path, alt: str) -> Picture:
    data = path.read_bytes()
    if not data.startswith(_PNG) or len(data) < 33:
        raise InputError(f"{path} is not a PNG file; draw the figure again.")
    width, height = struct.unpack(">II", data[16:24])
    scale = 96 / _dots_per_inch(data)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    source = base64.b64encode(data).decode("ascii")
    html = Markup('<img src="data:image/png;base64,{}" alt="{}" width="{}" height="{}">').format(source, alt, *size)
    return Picture(html, *size)


def _dots_per_inch(data: bytes) -> float:
    """What the chunk pHYs says, in dots a metre."""
    at = data.find(b"pHYs", 0, 4096)
    if at < 0 or len(data) < at + 13:
        return _DPI
    dots, _, unit = struct.unpack(">IIB", data[at + 4 : at + 13])
    return float(dots) * 0.0254 if unit == 1 and dots else _DPI


def drawing(path: Path, alt: str, prefix: str) -> Picture:
    """The drawing as an element <svg> whose ids and classes begin with `prefix`.

    Raises
    ------
    InputError
        If the file is not a whole SVG with a size.
    """
    try:
        root = ElementTree.fromstring(path.read_bytes())
        if root.tag != f"{_SVG}svg":
            raise ValueError("its root is no svg")
        box = [float(x) for x in root.attrib.get("viewBox", "").replace(",", " ").split()]
        width, height = box[2:4] if len(box) == 4 else (_length(root.attrib[side]) for side in ("width", "height"))
    except (ElementTree.ParseError, ValueError, KeyError) as error:
        raise InputError(f"{path} is not an SVG that a page can show ({error}); draw the figure again.") from None
    size = max(1, round(width * _PIXELS_PER_POINT)), max(1, round(height * _PIXELS_PER_POINT))
    head = Markup('<svg class="{}" role="img" aria-label="{}" viewBox="{}" width="{}" height="{}">').format(
        prefix, alt, " ".join(f"{x:g}" for x in (box if len(box) == 4 else (0, 0, width, height))), *size
    )
    wanted = _referred(root)
    inside = Markup("").join(_element(child, prefix, wanted) for child in root)
    return Picture(head + inside + Markup("</svg>"), *size)


def _length(text: str) -> float:
    return float(re.sub(r"(pt|px)$", "", text.strip()))


def _referred(root: ElementTree.Element) -> set[str]:
    """The ids that something in the drawing refers to."""
    found: set[str] = set()
    for element in root.iter():
        for value in element.attrib.values():
            found |= {target[1:] for target in [value, *_REFERENCE.findall(value)] if target.startswith("#")}
    return found


def _element(element: ElementTree.Element, prefix: str, wanted: set[str]) -> Markup:
    """One element with all inside it; what is not of SVG, or has no business in a page, is empty."""
    if not isinstance(element.tag, str) or not element.tag.startswith(_SVG):
        return Markup("")
    tag = element.tag.removeprefix(_SVG)
    tag = "g" if tag == "a" else tag  # what a link holds stays
    if tag in _DROPPED or not re.fullmatch(r"[A-Za-z]+", tag):
        return Markup("")
    if tag == "style":
        return Markup("<style>{}</style>").format(_scoped(element.text or "", prefix))
    pairs = [pair for name, value in element.attrib.items() if (pair := _attribute(name, value, prefix, wanted))]
    attributes = Markup("").join(Markup(' {}="{}"').format(*pair) for pair in pairs)
    inside = Markup("").join(_element(child, prefix, wanted) + _text(child.tail) for child in element)
    inside = _text(element.text) + inside
    opening = Markup("<{}{}").format(tag, attributes)
    return opening + Markup(">{}</{}>").format(inside, tag) if inside or tag == "text" else opening + Markup("/>")


def _text(text: str | None) -> Markup:
    """Words of a drawing; the white space between its elements means nothing."""
    return escape(text) if text and text.strip() else Markup("")


def _attribute(name: str, value: str, prefix: str, wanted: set[str]) -> tuple[str, str] | None:
    """The attribute as the page has it, or None if it goes."""
    if name == "id":
        return (name, f"{prefix}.{value}") if value in wanted else None
    if name in ("href", f"{_XLINK}href"):
        if value.startswith("#"):
            return "href", f"#{prefix}.{value[1:]}"
        return ("href", "".join(value.split())) if value.startswith("data:image/png;base64,") else None
    if not re.fullmatch(r"[A-Za-z][A-Za-z-]*[0-9]?", name) or name.lower().startswith("on"):
        return None
    if name in ("class", "d", "transform", "points"):
        return name, " ".join([prefix, value] if name == "class" else value.split())
    if any(not target.startswith("#") for target in _REFERENCE.findall(value)):
        return None
    return name, _REFERENCE.sub(lambda found: f"url(#{prefix}.{found[1][1:]})", value)


def _scoped(rules: str, prefix: str) -> str:
    """Style rules that hold inside this drawing alone; rules of rules (@import, @media) and addresses go."""
    kept = []
    for selectors, body in _RULE.findall(rules):
        if "@" not in selectors and "url(" not in body and "<" not in selectors + body:
            scoped = ",".join(f".{prefix} {selector.strip()}" for selector in selectors.split(","))
            kept.append(f"{scoped}{{{body.strip()}}}")
    return "".join(kept)
