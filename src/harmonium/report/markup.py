"""A little markup: the few tags that prose may hold pass, everything else is shown as it stands.

The outcome is balanced whatever comes in: a closing tag without its opening one is shown, and what is left open is
closed at the end.  A number stays on one line with its unit and its uncertainty.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from markupsafe import Markup

_TAG = re.compile(
    r"<(?P<open>b|i|em|strong|code|sub|sup)>|</(?P<close>b|i|em|strong|code|sub|sup|a)>|<(?P<br>br)\s*/?>"
    r"""|<a href=["']#(?P<link>[A-Za-z][A-Za-z0-9_.-]*)["']>"""
)
_BARE_AMPERSAND = re.compile(r"&(?!(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)")
_KEPT_TOGETHER = re.compile(r"(?<=\d) (?=%|nats\b|±)|(?<=±) (?=\d)")
_PARAGRAPHS = re.compile(r"\s*</p>\s*<p>\s*|\s*</?p>\s*|\s*\n\s*\n\s*")


def inline(html: str, ids: Collection[str] = ()) -> Markup:
    """`html` as safe markup; links stay where their target is one of `ids`, and are plain text elsewhere."""
    parts: list[str] = []
    opened: list[tuple[str, bool]] = []  # the tag, and whether it was written out: dead links are not
    at = 0
    for found in _TAG.finditer(html):
        parts.append(_shown(html[at : found.start()]))
        at = found.end()
        if found["br"]:
            parts.append("<br>")
        elif found["close"]:
            if found["close"] in [tag for tag, _ in opened]:
                parts += _closed(opened, found["close"])
            else:
                parts.append(_shown(found[0]))
        elif found["link"]:
            alive = found["link"] in ids and "a" not in [tag for tag, _ in opened]
            opened.append(("a", alive))
            parts.append(f'<a href="#{found["link"]}">' if alive else "")
        else:
            opened.append((found["open"], True))
            parts.append(found[0])
    parts.append(_shown(html[at:]))
    if opened:
        parts += _closed(opened)
    return Markup("".join(parts))  # every part is one of ours or has been escaped


def paragraphs(html: str, ids: Collection[str] = ()) -> list[Markup]:
    """The paragraphs of `html`: what blank lines, or <p>, part."""
    return [inline(part, ids) for part in _PARAGRAPHS.split(html.strip()) if part]


def _closed(opened: list[tuple[str, bool]], tag: str | None = None) -> list[str]:
    """Close the innermost `tag` and what was opened inside it, or everything."""
    closing = []
    while opened:
        last, written = opened.pop()
        closing.append(f"</{last}>" if written else "")
        if last == tag:
            break
    return closing


def _shown(text: str) -> str:
    """Text as it stands; entities that an author wrote stay."""
    text = _KEPT_TOGETHER.sub("\N{NO-BREAK SPACE}", text)
    return _BARE_AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")
