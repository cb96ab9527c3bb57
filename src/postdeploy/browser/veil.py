"""Pictures without secrets: what a page shows as text is read first, and what holds a secret is covered by a box.

Only text is seen: what is drawn on a canvas, in an image or a video, by a style sheet or in a closed shadow tree is
not. A frame that cannot be looked into is covered as a whole.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import Any, Final

from postdeploy.domain.redaction import Redactor
from postdeploy.domain.tokens import kept

__all__ = ["CAPTURE", "FRAMES", "Steps", "evaluation", "hits", "picture", "take", "take_by", "value_of", "world"]

CAPTURE: Final = ""
"""Among the steps: take the picture; the others are scripts, to be evaluated in a world of our own."""

FRAMES: Final = "Page.getFrameTree"
"""The command of the DevTools protocol whose answer ``world`` is made of."""

_NAME: Final = "postdeploy-veil"

Steps = Generator[str, Any, bytes | None]


def picture(redactor: Redactor | None) -> Steps:
    """The steps to a picture; it is None where it might show a secret. What the page keeps is learnt before."""
    content: bytes
    if redactor is not None:
        yield _script()
        for secret in kept(map(tuple, (yield "postdeployVeil.kept()"))):
            redactor.learn(secret)
    if redactor is None or not redactor.known:
        content = yield CAPTURE
        return content
    texts = yield "postdeployVeil.collect()"
    if texts is None:
        return None
    covered = hits(redactor, texts)
    if covered:
        yield f"postdeployVeil.cover({json.dumps(covered)})"
    content = yield CAPTURE
    yield "postdeployVeil.uncover()"
    now = yield "postdeployVeil.collect()"
    return None if now is None or _shown(redactor, now) - _shown(redactor, texts) else content


def hits(redactor: Redactor, texts: Sequence[str | None]) -> list[int]:
    """The numbers of the texts that hold a part of a secret, as one may be spread over several; None is a hit."""
    joined = "".join(text or "" for text in texts)
    found = {number for number, text in enumerate(texts) if text is None}
    starts = list(accumulate((len(text or "") for text in texts), initial=0))
    for begin, end in redactor.spans(joined):
        found.update(range(bisect_right(starts, begin) - 1, bisect_right(starts, end - 1)))
    return sorted(number for number in found if number < len(texts) and texts[number] != "")


def _shown(redactor: Redactor, texts: Sequence[str | None]) -> set[str | None]:
    return {texts[number] for number in hits(redactor, texts)}


async def take(
    steps: Steps, evaluate: Callable[[str], Awaitable[Any]], capture: Callable[[], Awaitable[bytes]]
) -> bytes | None:
    """Go the steps to a picture."""
    answer: Any = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        answer = await (capture() if step == CAPTURE else evaluate(step))


def take_by(steps: Steps, evaluate: Callable[[str], Any], capture: Callable[[], bytes]) -> bytes | None:
    """Do the same where nothing is awaited."""
    answer: Any = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        answer = capture() if step == CAPTURE else evaluate(step)


def world(frames: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The command for a world of our own in the main frame, where a page cannot look on; the same one each time."""
    frame = frames["frameTree"]["frame"]["id"]
    return "Page.createIsolatedWorld", {"frameId": frame, "worldName": _NAME, "grantUniveralAccess": True}


def evaluation(script: str, made: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The command that evaluates a script in the world that was made."""
    context = int(made["executionContextId"])
    return "Runtime.evaluate", {"expression": script, "contextId": context, "returnByValue": True}


def value_of(answer: Mapping[str, Any]) -> Any:
    """What a script came to. Raises ValueError where it threw."""
    if "exceptionDetails" in answer:
        raise ValueError(str(answer["exceptionDetails"].get("text")))
    return answer["result"].get("value")


@cache
def _script() -> str:
    return (files("postdeploy.browser") / "veil.js").read_text(encoding="utf-8")
