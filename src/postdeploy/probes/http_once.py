"""One HTTP exchange of its own, on the thread that asks: for what is no part of the traffic to a target."""

from __future__ import annotations

import pycurl

from postdeploy.domain.observation import HttpObservation
from postdeploy.probes.http import Exchange
from postdeploy.probes.http_handles import Handles
from postdeploy.probes.http_request import HttpRequest

__all__ = ["fetch_once"]


def fetch_once(request: HttpRequest, *, trusting: bool = False) -> HttpObservation:
    """The answer; ``trusting`` accepts any certificate, for questions that no secret goes with. Raises ProbeError."""
    handles, exchange = Handles(), Exchange(request)
    curl = handles.take()
    try:
        exchange.prepare(curl)
        if trusting:
            curl.setopt(pycurl.SSL_VERIFYPEER, 0)
            curl.setopt(pycurl.SSL_VERIFYHOST, 0)
        try:
            curl.perform()
        except pycurl.error as error:
            number, text = error.args[:2]
            raise exchange.error(curl, number, text) from None
        return exchange.observation(curl)
    finally:
        curl.close()
