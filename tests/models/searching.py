"""How long a model is searched: the same few examples in CI, others for hours by hand."""

import os
from typing import Final

from hypothesis import HealthCheck, Phase, Verbosity, settings

EXAMPLES: Final = int(os.environ.get("MODEL_EXAMPLES", "0"))
"""`MODEL_EXAMPLES=2000 pytest tests/models`: so many that were never tried before."""


def options(examples: int, *, shrink: bool = True) -> settings:
    """Servers answer when they can: no example is too slow."""
    phases = (Phase.explicit, Phase.generate, *((Phase.shrink,) if shrink else ()))
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.normal,
        print_blob=False,
    )
