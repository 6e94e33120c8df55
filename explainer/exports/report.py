"""The report of an export for people: one HTML file that needs nothing else, and no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from explainer.exports.cutting import Cut
from explainer.exports.jobs import Job

MOST = 25  # features in a table
STYLE = """
:root { color-scheme: light dark; --paper: #f5f6f8; --card: #fff; --ink: #16202c; --quiet: #566373; --line: #d5dbe2;
  --accent: #0b5a9c; --up: #b8470b; --down: #1668ab; --note: #6a4a00; --note-paper: #fff6e0; }
@media (prefers-color-scheme: dark) { :root { --paper: #10161d; --card: #18212b; --ink: #e6ebf1; --quiet: #a3b0be;
  --line: #33414f; --accent: #7ab8ef; --up: #f0975a; --down: #6fb3ec; --note: #f3d48a; --note-paper: #352b12; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1.2rem clamp(1rem, 3vw, 2.5rem) 3rem; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { font-size: 1.15rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.4rem;
  margin-bottom: 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.95rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.8rem 0.4rem 0; border-bottom: 1px solid var(--line);
  font-weight: 400; }
thead th { color: var(--quiet); font-size: 0.85rem; } .scroll { overflow-x: auto; } caption { text-align: left;
  color: var(--quiet); padding-bottom: 0.4rem; }
.bar { display: block; height: 0.7rem; min-width: 2px; background: var(--accent); border-radius: 2px; }
.track { min-width: 8rem; } .note { color: var(--note); background: var(--note-paper); padding: 0.6rem 0.9rem;
  border-radius: 6px; } code { overflow-wrap: anywhere; } .quiet { color: var(--quiet); }
"""


def report_html(job: Job, summary: dict[str, Any], known: Cut) -> bytes:
    """The summary as a page: counts, importance with errors, reasons, warnings, drift against the background."""
    title = f"Explanations of {job.spec.model} {job.spec.version}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        _counts(job, summary, known),
        *[_importance(found) for found in summary["classes"]],
        *[_reasons(found) for found in summary["classes"]],
        _drift(summary["drift"]),
    ]
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    ).encode("utf-8", "xmlcharrefreplace")


def _counts(job: Job, summary: dict[str, Any], known: Cut) -> str:
    progress = job.progress
    rows = [
        ("Model digest", job.spec.digest),
        ("Background digest", job.spec.background),
        *[(f"Input {name}", f"SHA-256 {digest}") for name, digest in known.digests.items()],
        ("Rows read", f"{progress.rows:,}"),
        ("Explained", f"{progress.explained:,}, of them {summary['exact_rows']:,} exactly"),
        ("Rejected", f"{progress.rejected:,} (rejects.csv says why)"),
        ("Left out by the rule", f"{progress.skipped:,} ({job.spec.where})" if job.spec.where else "0"),
        ("Methods", ", ".join(f"{name}: {count:,} rows" for name, count in summary["methods"].items()) or "none"),
        ("Model rows evaluated", f"{summary['evaluations']:,}"),
        ("Largest additivity gap", f"{summary['largest_additivity_gap']:.3g}"),
        ("Warnings", ", ".join(f"{code}: {count:,}" for code, count in summary["warnings"].items()) or "none"),
        ("Tolerance misses", f"{summary['tolerance_misses']:,}"),
    ]
    return _section("What was done", _table("", ("what", "value"), rows))


def _importance(found: dict[str, Any]) -> str:
    name = f" of class {found['class']}" if found["class"] is not None else ""
    features = found["features"][:MOST]
    largest = max((f["mean_absolute"] for f in features), default=0.0) or 1.0
    head = ("feature", "mean size of its attribution", "", "standard error", "mean", "share that pushes up")
    rows = [
        (
            f["feature"],
            f"{f['mean_absolute']:.4g}",
            _bar(f["mean_absolute"] / largest),
            _number(f["standard_error"]),
            f"{f['mean']:+.4g}",
            f"{f['share_positive']:.0%}",
        )
        for f in features
    ]
    text = (
        f"{found['rows']:,} rows; mean prediction {found['mean_prediction']:.4g}, expected over the background "
        f"{found['expected_value']:.4g}."
    )
    return _section(f"Which features matter{name}", _table(text, head, rows))


def _reasons(found: dict[str, Any]) -> str:
    name = f" of class {found['class']}" if found["class"] is not None else ""
    head = ("feature", "leading reason", "", "among the four, pushing up", "among the four, pushing down")
    order = sorted(found["features"], key=lambda f: (-f["leading_reason"], -f["reason_up"] - f["reason_down"]))[:MOST]
    rows = [
        (
            f["feature"],
            f"{f['leading_reason'] / found['rows']:.1%}",
            _bar(f["leading_reason"] / found["rows"]),
            f"{f['reason_up'] / found['rows']:.1%}",
            f"{f['reason_down'] / found['rows']:.1%}",
        )
        for f in order
    ]
    return _section(f"How often a feature is a reason{name}", _table("Share of the explained rows", head, rows))


def _drift(features: list[dict[str, Any]]) -> str:
    head = ("feature", "population stability index", "drift", "rows without a value")
    order = sorted(features, key=lambda f: -f["psi"])[:MOST]
    rows = [(f["feature"], f"{f['psi']:.3f}", f["reading"], f"{f['missing']:,}") for f in order]
    text = "The explained rows against the background; from 0.1 on slight, from 0.25 on large"
    large = [f["feature"] for f in order if f["reading"] == "large"]
    note = ""
    if large:
        note = (
            f'<p class="note">These rows differ much from the background in {escape(", ".join(large))}: attributions '
            "say what tells a row from the background, so look whether it is still the right one.</p>"
        )
    return _section("Drift", note + _table(text, head, rows))


def _bar(share: float) -> str:
    return f'<span class="bar" style="width: {100 * share:.1f}%"></span>'


def _number(number: float | None) -> str:
    return "not known" if number is None else f"{number:.2g}"


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>"


def _table(caption: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    told = f"<caption>{escape(caption)}</caption>" if caption else ""
    top = "".join(f'<th scope="col">{escape(name)}</th>' if name else "<td></td>" for name in head)
    lines = "\n".join(f'<tr><th scope="row">{escape(row[0])}</th>{_cells(row[1:])}</tr>' for row in rows)
    body = f"<thead><tr>{top}</tr></thead>\n<tbody>{lines}</tbody>"
    return f'<div class="scroll" tabindex="0"><table>{told}{body}</table></div>'


def _cells(cells: tuple[str, ...]) -> str:
    return "".join(
        f'<td class="track">{cell}</td>' if cell.startswith('<span class="bar"') else f"<td>{escape(cell)}</td>"
        for cell in cells
    )
