"""How strongly variations vary: the same model, its noise turned up or down."""

from __future__ import annotations

from dataclasses import replace

from .model.model import Model


def with_strength(model: Model, coarse: float, fine: float) -> Model:
    """A model whose samples get `coarse` times the usual noise at the first level and `fine` times above it."""
    if coarse == 1.0 and fine == 1.0:
        return model
    first, *rest = model.recipe.sampling_noise
    noise = (first * coarse, *(share * fine for share in rest))
    return replace(model, recipe=replace(model.recipe, sampling_noise=noise))
