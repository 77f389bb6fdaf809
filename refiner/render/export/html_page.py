"""One run as a page in one file. The page loads nothing from a host, and `run_file.load_run` reads the run in it.

The caller passes the app's stylesheet and script as texts. What Gradio's page adds to them is written here.
"""

import re
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

from refiner.domain import Refinement
from refiner.judges.quality import Quality
from refiner.render import result
from refiner.render.html_text import Html, direction, html, isolate, trusted
from refiner.render.scores import judge_quality
from refiner.runs import run_file

_BASE_STYLE = """
:root { --font: system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; --body-background-fill: #f8f8f6; }
.dark { --body-background-fill: #111418; color-scheme: dark; }
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; background: var(--body-background-fill); color: var(--ink); font: 16px/1.5 var(--font); }
body > .main > header { padding: 28px 0 18px; }
body > .main > header h1 { font-size: 24px; line-height: 1.3; font-weight: 600; letter-spacing: -.01em; margin: 4px 0; overflow-wrap: anywhere; }
body > .main > header p, body > .main > footer p { margin: 0; font-size: 13.5px; color: var(--soft); }
body > .main > footer { padding: 20px 0 0; max-width: 74ch; }
"""
_DARK_MODE_SCRIPT = """
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const look = () => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", look);
  look();
})();
"""
_MAX_TITLE_LENGTH = 120
_ELEMENT_END = re.compile(r"<(?=/script|/style|!--)", re.IGNORECASE)


def page(run: Refinement, made: datetime, *, style: str, script: str, judged: Quality | None = None) -> Html:
    """The run as HTML, with the run file inside. ``judged`` is what was measured of its judge."""
    styles, scripts = (
        _cannot_end_its_element(style + _BASE_STYLE),
        _cannot_end_its_element(_DARK_MODE_SCRIPT + script),
    )
    asked = run.request.question
    time = made.astimezone(UTC)
    return html(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><title>{title} – Refiner</title>'
        '<style>{styles}</style><script>{scripts}</script></head><body class="gradio-container">'
        '<div class="main"><header><p><b>Refiner</b> · a draft, refined by its sources</p>'
        "<h1{direction}>{asked}</h1><p>"
        '<time datetime="{iso_time}">{day_and_time} UTC</time></p></header>'
        "<main>{finished}{fold}</main><footer><p>{disclaimer}</p></footer></div>{embed}</body></html>\n",
        policy=_policy(styles, scripts),
        title=" ".join(asked.split())[:_MAX_TITLE_LENGTH],
        styles=styles,
        scripts=scripts,
        direction=direction(asked),
        asked=isolate(asked),
        iso_time=time.isoformat(timespec="seconds"),
        day_and_time=f"{time:%Y-%m-%d, %H:%M}",
        finished=result.finished(run, judged),
        fold=judge_quality.judge_quality_fold(run.judge, judged) if judged else "",
        disclaimer=_DISCLAIMER,
        embed=trusted(run_file.embed_run(run, made)),
    )


_DISCLAIMER = (
    "Made with Refiner. The scores are this app’s own, made by the judge named above; nobody has checked "
    "them. "
    "Whoever sends this page could have changed it."
)


def _cannot_end_its_element(text: str) -> Html:
    """A script or stylesheet that cannot end its element, with the line ends that an HTML parser leaves."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return trusted(_ELEMENT_END.sub(r"<\\", lines))


def _policy(styles: Html, scripts: Html) -> Html:
    """The content security policy: one stylesheet, one script, and bars' lengths in ``style`` attributes."""
    return html(
        "default-src 'none'; script-src '{script_hash}'; style-src 'unsafe-inline'; "
        "style-src-elem '{style_hash}'; style-src-attr 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'",
        script_hash=_hash(scripts),
        style_hash=_hash(styles),
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
