"""The table of CPython's tests, for the documentation."""

from .errors import Failure
from .outcome import Outcome, Pair
from .paths import ROOT

_BEGIN = "<!-- results: `cargo xtask test-python --publish` writes them -->\n"
_END = "<!-- end of results -->"


def markdown(source: str, pairs: list[Pair]) -> str:
    """A row for each class of tests, then the tests that did not pass."""
    lines = [
        f"The tests are those of {source}.",
        "",
        "| class | tests | passed, asyncio's own | passed, ours | skipped, both |",
        "|---|--:|--:|--:|--:|",
    ]
    for name in [*dict.fromkeys(_class(pair.name) for pair in pairs), None]:
        chosen = [pair for pair in pairs if name is None or _class(pair.name) == name]
        counts = (
            len(chosen),
            sum(pair.stock.kind == "passed" for pair in chosen),
            sum(pair.ours.kind == "passed" for pair in chosen),
            sum(pair.stock.kind == pair.ours.kind == "skipped" for pair in chosen),
        )
        lines.append(f"| {f'`{name}`' if name else 'all'} | {' | '.join(map(str, counts))} |")
    lines += ["", "| test | asyncio's own | ours |", "|---|---|---|"]
    for pair in pairs:
        if not pair.stock.kind == pair.ours.kind == "passed":
            lines.append(f"| `{pair.name}` | {_word(pair.stock)} | {_word(pair.ours)} |")
    return "\n".join(lines) + "\n"


def publish(table: str) -> None:
    """Puts the table into docs/python.md, between its marks."""
    file = ROOT / "docs" / "python.md"
    text = file.read_text(encoding="utf-8")
    before, begun, rest = text.partition(_BEGIN)
    _, ended, after = rest.partition(_END)
    if not begun or not ended:
        raise Failure("docs/python.md has no place for results")
    file.write_text(f"{before}{_BEGIN}\n{table}\n{_END}{after}", encoding="utf-8")


def _class(name: str) -> str:
    return name.rpartition(".")[0]


def _word(outcome: Outcome) -> str:
    if outcome.kind == "skipped":
        return "skipped: " + outcome.text.replace("|", "\\|")
    return outcome.kind
