"""The page that shows what the sandbox holds. Everything on it is escaped; it loads nothing and runs nothing."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from html import escape
from typing import TYPE_CHECKING

from providers.sandbox.dialect import Section
from providers.sandbox.wire import Response

if TYPE_CHECKING:
    from providers.sandbox.server import SandboxServer

SHOWN_REQUESTS = 50
STYLE = """
:root{color-scheme:light dark;--line:#d9dee5;--soft:#f4f6f8;--text:#1c2733;--muted:#5b6875;--accent:#0b6b5d;--back:#fff}
@media(prefers-color-scheme:dark){:root{--line:#33404d;--soft:#1e2730;--text:#e5eaf0;--muted:#9fadba;--accent:#5cc9b4;
--back:#141b22}}
body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,"Noto Sans Arabic",sans-serif}
header{padding:1.25rem 1.5rem;border-bottom:3px solid var(--accent);background:var(--soft)}
h1{margin:0;font-size:1.3rem}header p{margin:.25rem 0 0;color:var(--muted)}
main{padding:0 1.5rem 3rem;max-width:90rem}h2{margin:2rem 0 0;font-size:1.15rem;color:var(--accent)}
h3{margin:1.5rem 0 .4rem;font-size:1rem}.note{margin:.2rem 0 .5rem;color:var(--muted);font-size:.85rem}
.wide{overflow-x:auto;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%}th,td{padding:.35rem .7rem;text-align:left;vertical-align:top;
border-bottom:1px solid var(--line)}th{background:var(--soft);font-weight:600;white-space:nowrap}
tr:last-child td{border-bottom:0}td{unicode-bidi:plaintext;font-variant-numeric:tabular-nums;max-width:36rem;
overflow-wrap:break-word}.none{color:var(--muted);padding:.5rem .7rem;margin:0}
"""
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)


def table(section: Section) -> str:
    """One section as HTML."""
    note = f'<p class="note">{escape(section.note)}</p>' if section.note else ""
    heading = f"<h3>{escape(section.title)}</h3>{note}"
    if not section.rows:
        return f'{heading}<div class="wide"><p class="none">Nothing here yet.</p></div>'
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in section.columns)
    rows = "".join(
        "<tr>" + "".join(f'<td dir="auto">{escape(str(cell))}</td>' for cell in row) + "</tr>" for row in section.rows
    )
    return f'{heading}<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def requests_section(sandbox: SandboxServer) -> Section:
    """The last requests, newest first, without headers and bodies."""
    requests = sandbox.requests
    return Section(
        "Last requests",
        ("No.", "Time (UTC)", "Provider", "Request", "Status", "Fault", "ms"),
        [
            (
                row.number,
                dt.datetime.fromtimestamp(row.at, dt.UTC).strftime("%H:%M:%S"),
                row.provider,
                f"{row.method} {row.path}" + (f"?{row.query}" if row.query else ""),
                row.status if row.status is not None else "dropped",
                row.fault,
                f"{row.seconds * 1000:.1f}",
            )
            for row in reversed(requests[-SHOWN_REQUESTS:])
        ],
        note=f"{len(requests):,} kept.",
    )


def render_page(sandbox: SandboxServer) -> Response:
    """The whole page."""
    parts = [table(requests_section(sandbox))]
    for slug, dialect in sandbox.dialects.items():
        parts.append(f"<h2>{escape(slug)}</h2>")
        parts += [table(section) for section in dialect.sections()]
    html = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>Provider sandbox</title><style>{STYLE}</style></head>'
        "<body><header><h1>Provider sandbox</h1><p>Stands in for the messaging providers on this machine. "
        f"Nothing leaves it, nobody gets a message.</p></header><main>{''.join(parts)}</main></body></html>"
    )
    headers = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(200, html.encode(), "text/html; charset=utf-8", headers)
