"""Post-deploy verification: is the release that was just deployed really live, and does it work?"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
