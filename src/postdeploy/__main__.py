"""``python -m postdeploy``."""

from __future__ import annotations

import sys

from postdeploy.cli import main

if __name__ == "__main__":
    sys.exit(main())
