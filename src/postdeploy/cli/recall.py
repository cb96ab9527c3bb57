"""What a run that a command makes of several is told by the history, as any run is: its baseline, and its deploy."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postdeploy.domain.facts import Baseline
    from postdeploy.history.place import Place

__all__ = ["recall_deploy"]

_PATIENCE: Final = 3.0


def recall_deploy(place: Place, target: str, release: str | None, run_id: str) -> Baseline | None:
    """What earlier runs say of the release before, once it is written down that this one is being verified.

    Without a release nothing was deployed. A history that cannot be read is told of, and is as good as none.
    """
    from postdeploy.errors import HistoryError
    from postdeploy.history.alerts import begin_deploy
    from postdeploy.history.database import open_database
    from postdeploy.history.recall import recall_baseline

    if release is None or (place.file is not None and not place.file.exists()):
        return None
    try:
        database = open_database(place, patience=_PATIENCE)
        try:
            baseline = recall_baseline(database, target, release, f"history {place}")
            begin_deploy(database, target, run_id, started=time.time())
        finally:
            database.close()
    except HistoryError as error:
        print(f"postdeploy: earlier runs could not be compared with: {error}", file=sys.stderr)
        return None
    return baseline
