"""What all tests need: no test measures time, so Hypothesis must not either."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("repository", deadline=None)
hypothesis.settings.load_profile("repository")
