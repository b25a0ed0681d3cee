"""Settings of property tests whose every example loads a file in Blender."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings


def scene_examples(count: int) -> settings:
    """Return settings for `count` examples, the same in each run; a smaller failing one would take minutes to find."""
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
