"""The results of one test, with asyncio's own streams and with ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """How a test ended."""

    # `passed`, `skipped` or `failed`.
    kind: str
    # The reason of a skipped test, or the output of a failed one.
    text: str = ""

    @staticmethod
    def of(printed: list[str], well: bool) -> Outcome:
        """The outcome that the component printed; `well` is whether it exited with success."""
        verdicts = [line.removeprefix("verdict: ") for line in printed if line.startswith("verdict: ")]
        verdict = verdicts[-1] if verdicts and well else ""
        if verdict == "ok":
            return PASSED
        if verdict.startswith("skipped"):
            return Outcome("skipped", verdict.removeprefix("skipped: "))
        # After a trap a verdict is meaningless.
        return Outcome("failed", "\n".join(printed))


PASSED = Outcome("passed")


@dataclass(frozen=True)
class Pair:
    """One test on both sides."""

    # As `test_streams.StreamTests.test_read`.
    name: str
    stock: Outcome
    ours: Outcome

    def complaint(self) -> str | None:
        """Describes a test that fails, or is skipped, only with this project's streams."""
        if self.stock.kind == "passed" and self.ours.kind == "failed":
            return f"{self.name} fails with ours alone:\n{self.ours.text}"
        if self.stock.kind != "skipped" and self.ours.kind == "skipped":
            return f"{self.name} is skipped with ours alone: {self.ours.text}"
        return None
