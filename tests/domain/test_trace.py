from __future__ import annotations

import re

from postdeploy.domain.trace import check_span, run_span, span_of, trace_of, traceparent


def test_names_follow_from_run_check_and_attempt() -> None:
    """Whoever knows these three knows the span, and no two of them have one."""
    spans = [run_span("r"), check_span("r", "c"), span_of("r", "c", 1), span_of("r", "c", 2), span_of("r", "d", 1)]
    assert span_of("r", "c", 2) == spans[3]
    assert len({*spans, run_span("s")}) == 6
    assert all(re.fullmatch("[0-9a-f]{16}", span) for span in spans)


def test_the_header() -> None:
    """As the W3C writes it, sampled; an id that is no Unicode text has one, too."""
    header = traceparent(trace_of("r\udc80"), run_span("r"))
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", header)
