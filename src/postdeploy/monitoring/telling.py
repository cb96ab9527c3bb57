"""Telling people what is in the outbox: in its order, each receiver by itself, within a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from postdeploy.domain.alert import AlertState, Event
from postdeploy.domain.alert_outbox import left_for
from postdeploy.domain.receiver import Receiver
from postdeploy.notify.message import Message, message_of_alert
from postdeploy.notify.sender import Delivery, send_all

__all__ = ["LONGEST", "Send", "tell_events"]

LONGEST: Final = 40.0
"""Seconds that telling takes at the most; what is left is told after the next run."""

Send = Callable[[Iterable[tuple[Receiver, Message]]], list[Delivery]]


def tell_events(
    state: AlertState,
    receivers: Sequence[Receiver],
    message: Callable[[Event], Message] | None = None,
    *,
    send: Send = send_all,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[dict[str, list[str]], list[str]]:
    """Which receivers have heard which event, and what went wrong; who could not be told hears nothing later first."""
    made = message or (lambda event: message_of_alert(state.target, event))
    end, heard, problems = clock() + LONGEST / 2, dict[str, list[str]](), list[str]()
    left = {receiver.name: left_for(state, receiver.name) for receiver in receivers}
    deaf: set[str] = set()
    for event in state.outbox:
        audience = [each for each in receivers if each.name not in deaf and event in left[each.name]]
        if clock() > end or not audience:
            continue
        for delivery in send((receiver, made(event)) for receiver in audience):
            if delivery.problem is None:
                heard.setdefault(event.id, []).append(delivery.receiver.name)
            else:
                deaf.add(delivery.receiver.name)
                problems.append(f"{delivery.receiver.name} ({delivery.receiver.kind}): {delivery.problem}")
    return heard, problems
