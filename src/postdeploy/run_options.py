"""The options of a run, said once: of pytest, and of the commands that start pytest and pass them on."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

__all__ = ["RUN_OPTIONS", "RunOption"]


class RunOption(NamedTuple):
    """One option; ``help`` starts in lower case and names the default. Without ``metavar`` it is a switch."""

    name: str
    metavar: str | None
    help: str
    repeated: bool = False

    @property
    def attribute(self) -> str:
        """What its value is called once it is read."""
        return self.name.replace("-", "_")

    @property
    def keywords(self) -> dict[str, Any]:
        """What argparse, and pytest's likeness of it, are told."""
        if self.metavar is None:
            return {"action": "store_true", "help": self.help}
        more: dict[str, Any] = {"action": "append", "default": []} if self.repeated else {}
        return {"metavar": self.metavar, "help": self.help, **more}

    def words(self, value: Any) -> list[str]:
        """The arguments that say this value again."""
        if value is None or value is False:
            return []
        if value is True:
            return [f"--{self.name}"]
        return [f"--{self.name}={each}" for each in (value if self.repeated else (value,))]


RUN_OPTIONS: Final = (
    RunOption("release", "ID", "the release that was deployed; wait until it answers everywhere"),
    RunOption("deadline", "TIME", "how long the run may take, such as 90s or 5m (default: the target's policy)"),
    RunOption("targets", "FILE", "the targets file (default: targets.yaml in the root folder)"),
    RunOption("baseline", "FILE", "a verdict about the release before this one"),
    RunOption("history", "PLACE", "remember the run in a file or a PostgreSQL URL, or off"),
    RunOption("monitor", None, "a scheduled run: it is remembered, tells of outages, and never rolls back"),
    RunOption("browser-executable", "FILE", "the browser for pages (default: the first one found)"),
    RunOption("report", "NAMES", "also write reports, such as html,junit or all", repeated=True),
    RunOption("otlp-endpoint", "URL", "also send spans and metrics to this receiver of OTLP"),
    RunOption("allow-writes", "TARGET", "let a protected target of this name be written to"),
    RunOption(
        "only",
        "TEXT",
        "run only checks with this in their name, id or tag; may be repeated; never promotes",
        repeated=True,
    ),
    RunOption("vantage", "NAME", "where this run is made from; checks of other vantages are skipped"),
    RunOption("shard", "I/N", "run only this part of the suite; postdeploy merge judges all parts"),
    RunOption("shard-by", "SOURCE", "a sealed verdict, history or history:RUN, whose durations balance the parts"),
)
