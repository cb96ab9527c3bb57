"""Durations on the command line."""

from __future__ import annotations

import argparse

__all__ = ["duration"]


def duration(text: str) -> float:
    """Seconds, for argparse."""
    from postdeploy.config.durations import seconds_of

    try:
        return seconds_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
