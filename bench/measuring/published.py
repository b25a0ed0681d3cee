"""Published figures of the papers, and figures of their code measured beside Riff."""

from __future__ import annotations

from .table import Row

_TABLE_2 = (
    "coverage",
    "global_diversity",
    "local_diversity",
    "sifid",
    "inter_diversity",
    "intra_diversity_difference",
    "harmonic_mean",
)
_DIVERSITY = ("coverage", "global_diversity", "local_diversity")


def _row(name: str, kind: str, origin: str, keys: tuple[str, ...], *values: float) -> Row:
    return Row(name, kind, origin, dict(zip(keys, values, strict=True)))


MIXAMO = "the paper's Table 2, mean over its Mixamo clips"

PUBLISHED = (
    _row("GANimator", "published", MIXAMO, _TABLE_2, 0.95, 1.02, 0.96, 1.15, 1.49, 2.12, 0.50),
    _row("SinMDM", "published", MIXAMO, _TABLE_2, 0.94, 1.42, 1.00, 1.08, 1.43, 1.93, 0.58),
    _row("the paper", "published", MIXAMO, _TABLE_2, 0.89, 1.46, 1.35, 1.99, 1.75, 1.57, 0.52),
    _row("the paper, row 9", "published", "its Table 1, salsa", _DIVERSITY, 1.00, 1.41, 1.32),
    _row("GenMM", "measured", "its code, salsa, 24 joints, 20 samples", _DIVERSITY, 1.00, 0.12, 0.11),
)
"""Figures of other methods; all on 24 joints and samples twice as long as the source."""

TIMES = """\
| salsa | train, RTX 3060, published | generate, published | train, 2 cores, measured | generate, 1 core, measured |
|---|---|---|---|---|
| GANimator | 5 h 30 | 5.2 ms | about 11.5 h, extrapolated | 45 ms, 8.5 s more for clean feet |
| SinMDM | 1 h 24 | 5 s | about 65 h, extrapolated | 29 s |
| the paper | 0 h 48 | 5.2 ms | no code published | |
| GenMM | – | – | needs no training | 0.7 s |"""
"""Times published in Roditakis et al. 2024 for three methods, and times measured with their code on two processor
cores."""
