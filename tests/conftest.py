"""What all tests share: hypothesis tries the same examples every time, and `make full` lets it look for new ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SLOW_MACHINES = [HealthCheck.too_slow]

settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=SLOW_MACHINES)
settings.register_profile("explore", deadline=None, suppress_health_check=SLOW_MACHINES)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
