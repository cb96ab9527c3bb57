"""What only a check that fails needs, imported while there are answers to wait for.

A machine that can open no file any more can import nothing, and is to say so all the same.
"""

from __future__ import annotations

from postdeploy.engine.curl import reproduce
from postdeploy.probes.http_faults import fault_of

__all__ = ["fault_of", "reproduce"]
