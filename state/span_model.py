"""The model that plays the spans of an armature: the chosen one if it was trained on their actions, or instant ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import bpy

from .model_fit import Fit
from .settings import RiffModel, chosen_model


@dataclass(frozen=True)
class SpanModel:
    """Row of the model that plays spans, None for instant models of their actions.

    `reason` is the sentence that says why it is not the chosen one, with a gap for each of `values`; empty where it is.
    """

    row: RiffModel | None
    reason: str = ""
    values: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Return the reason with its values."""
        return self.reason.format(*self.values)


def span_model(context: bpy.types.Context, actions: Iterable[str], fit: Fit | None) -> SpanModel:
    """Return the model that plays actions in spans; `fit` is that of the chosen one to the armature, if it is known."""
    row = chosen_model(context)
    if row is None or row.problem:
        return SpanModel(None, "No model is chosen")
    if not len(row.clips):
        return SpanModel(None, "“{}” was not trained on several actions", (row.name,))
    for action in actions:
        if action not in row.clips:
            return SpanModel(None, "“{}” was not trained on “{}”", (row.name, action))
    if fit is not None and fit.problem:
        return SpanModel(None, "“{}” is of another rig", (row.name,))
    return SpanModel(row)


def knows_clips(row: Any) -> bool:
    """Return whether a row of the list of models is of one that was trained on several actions."""
    return row is not None and not row.problem and len(row.clips) > 0
