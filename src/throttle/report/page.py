"""A page of its own: the same head, style and security policy as the report of a plan."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from throttle.report.html import Child, Html, join, tag


def page(title: str, *body: Child) -> str:
    """One HTML file without script or network; ``body`` is what stands in it."""
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    policy = f"default-src 'none'; style-src 'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'; "
    policy += "img-src data:; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        tag("style", Html(style)),
    )
    return join(Html("<!doctype html>\n"), tag("html", head, "\n", tag("body", *body), lang="en"), "\n")


def answer_page(title: str, words: str, footer: str, *parts: Child) -> str:
    """The page of one answer: what it says in a sentence or two, then pictures and tables."""
    return page(
        f"Throttle: {title}",
        tag("a", "Skip to the answer", class_="skip", href="#main"),
        tag("header", tag("h1", title), tag("p", words)),
        tag("main", *parts, id="main", tabindex="-1"),
        tag("footer", tag("p", footer)),
    )
