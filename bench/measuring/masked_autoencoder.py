"""Fréchet distances in the latents of a masked autoencoder that learned the windows of the clip alone:
`python -m bench.measuring.masked_autoencoder sample --model MODEL …`.

SiFID takes the features of an encoder that was trained on a data set of motions. Here an encoder is trained on the
clip itself: it fills in hidden rows of its windows, and its latents describe windows of samples. The table asks whether
they rank models and cheats as an eye does, beside the window Fréchet distance, which needs no training.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.evaluation.frechet import frechet_distance, frechet_to_source, position_windows
from core.generation.generate import generate
from core.matching.instant import instant_model
from core.model.model_file import load_model
from core.motion.motion import RATE, Motion, with_contact_labels
from core.motion.resampling import resample
from core.motion.skeleton import BODY
from core.numeric.rotation import Array, yaw_of

from ..matching import read_any
from .cheats import all_cheats
from .machine import circumstances, repeatable
from .table import publish
from .training import clip_name

WINDOW_ROWS = 16
"""Rows of a window, about half a second."""

BLOCK_ROWS = 4
"""Rows that are hidden together."""

HIDDEN_SHARE = 0.5
"""Share of the blocks of a window that are hidden while the encoder learns."""

WIDTH, HEADS, LAYERS = 64, 4, 2
STEPS, BATCH, RATE_OF_LEARNING = 1500, 64, 1e-3
SAMPLE_COUNT = 6


class MaskedAutoencoder(nn.Module):
    """Transformer over the rows of a window (B, WINDOW_ROWS, D), some of which are hidden (B, WINDOW_ROWS)."""

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(numbers, WIDTH)
        self.place = nn.Parameter(0.02 * torch.randn(WINDOW_ROWS, WIDTH))
        self.hole = nn.Parameter(torch.zeros(WIDTH))
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 2 * WIDTH, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.decoder = nn.Linear(WIDTH, numbers)

    def encode(self, windows: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Return the encoding (B, WINDOW_ROWS, WIDTH) of each row."""
        rows = self.embedding(windows)
        if hidden is not None:
            rows = torch.where(hidden[..., None], self.hole, rows)
        encoded: Tensor = self.encoder(rows + self.place)
        return encoded

    def forward(self, windows: Tensor, hidden: Tensor) -> Tensor:
        filled: Tensor = self.decoder(self.encode(windows, hidden))
        return filled


def described_rows(motion: Motion) -> list[Array]:
    """Return two blocks (frames - 1, joints × 3) in body heights: places of joints from the root and the heading, and
    their movement in a frame.
    """
    positions = motion.positions() / BODY
    yaw = yaw_of(motion.rotations()[:, 0])
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    ground = positions[:, :1] * np.array([1.0, 1.0, 0.0])
    blocks = [positions - ground, np.diff(positions, axis=0, prepend=positions[:1])]
    turned = [
        np.stack([cos * x + sin * y, cos * y - sin * x, z], axis=-1)
        for x, y, z in (np.moveaxis(block, -1, 0) for block in blocks)
    ]
    return [block.reshape(len(block), -1)[1:] for block in turned]


class ClipEncoder:
    """Encoder of windows that was trained on one clip; deterministic for a seed and a number of threads."""

    def __init__(self, source: Motion, seed: int, steps: int = STEPS) -> None:
        blocks = described_rows(source)
        self._means = [block.mean(0) for block in blocks]
        self._scales = [max(float(np.sqrt(block.var(0).mean())), 1e-6) for block in blocks]
        random = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = MaskedAutoencoder(sum(block.shape[1] for block in blocks))
        windows = self.windows(source)
        optimiser = torch.optim.Adam(self.network.parameters(), RATE_OF_LEARNING)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        self.loss = 0.0
        for _ in range(steps):
            batch = windows[torch.randint(0, len(windows), (BATCH,), generator=random)]
            blocks_hidden = torch.rand((BATCH, WINDOW_ROWS // BLOCK_ROWS), generator=random).argsort(1)
            hidden = (blocks_hidden < HIDDEN_SHARE * WINDOW_ROWS / BLOCK_ROWS).repeat_interleave(BLOCK_ROWS, 1)
            loss = (self.network(batch, hidden) - batch)[hidden].square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            self.loss = float(loss.detach())
        self._known = self.latents(source)

    def windows(self, motion: Motion) -> Tensor:
        """Return all windows (N, WINDOW_ROWS, D) of a motion, scaled as the clip's."""
        parts = zip(described_rows(motion), self._means, self._scales, strict=True)
        rows = np.concatenate([(block - mean) / scale for block, mean, scale in parts], axis=1).astype(np.float32)
        seen = np.lib.stride_tricks.sliding_window_view(rows, WINDOW_ROWS, axis=0)
        return torch.from_numpy(np.ascontiguousarray(seen.transpose(0, 2, 1)))

    @torch.no_grad()
    def latents(self, motion: Motion) -> NDArray[np.float64]:
        """Return the latents (N, WIDTH) of all windows of a motion: the mean of their rows' encodings."""
        return self.network.encode(self.windows(motion)).mean(1).double().numpy()

    def distance(self, sample: Motion) -> float:
        """Return the Fréchet distance of a sample's latents to the clip's, in units of the clip's variance."""
        return frechet_distance(self._known, self.latents(sample)) / float(self._known.var(0).sum())


def measure(clip: str, models: Sequence[Path], count: int, seeds: int) -> list[dict[str, Any]]:
    """Return a row for each cheat and each model, with a distance for each encoder; all values can be written as JSON.

    Raises ClipError, ModelError.
    """
    source = with_contact_labels(resample(read_any(clip), RATE))
    ways = {name: [motion] for name, motion in all_cheats(source).items()}
    trained = {path.stem: load_model(path) for path in models}
    for name, model in {"instant": instant_model(source), **trained}.items():
        ways[name] = generate(model, frames=2 * source.frames, count=count, seed=0)
    encoders = [ClipEncoder(source, seed) for seed in range(seeds)]
    known, rows = position_windows(source), []
    for name, motions in ways.items():
        plain = statistics.mean(frechet_to_source(known, position_windows(one)) for one in motions)
        learned = [statistics.mean(encoder.distance(one) for one in motions) for encoder in encoders]
        rows.append({"name": name, "window_frechet": plain, "latent_frechet": learned})
    return rows


def page(report: dict[str, Any]) -> str:
    """Return the report as Markdown, the nearest to the clip first."""
    lines = ["|  | window Fréchet | masked autoencoder | least to largest of its seeds |", "|---|---:|---:|---:|"]
    for row in sorted(report["rows"], key=lambda row: statistics.mean(row["latent_frechet"])):
        values = row["latent_frechet"]
        lines.append(
            f"| {row['name']} | {row['window_frechet']:.2f} | {statistics.mean(values):.3f} | "
            f"{min(values):.3f} to {max(values):.3f} |"
        )
    return f"""# An encoder trained on the clip itself: {report["clip"]}

`{report["command"]}`

{report["date"]}, {report["device"]} ({report["cores"]} cores), Riff {report["versions"]["riff"]}.
Fréchet distances of windows to the clip's: of Riff's descriptions, and of the latents of a masked autoencoder that \
was trained on the clip's windows, with {report["seeds"]} seeds. Models: {report["samples"]} variations twice as long \
as the clip, with clean feet.

{chr(10).join(lines)}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.measuring.masked_autoencoder", description=__doc__)
    parser.add_argument("clip", help="name in $RIFF_DATA, file, or sample")
    parser.add_argument("--model", type=Path, nargs="*", default=[], help="trained models of the clip")
    parser.add_argument("--count", type=int, default=SAMPLE_COUNT, help=f"variations of each model ({SAMPLE_COUNT})")
    parser.add_argument("--seeds", type=int, default=3, help="encoders (3)")
    parser.add_argument("--out", type=Path, default=Path("bench/results"), help="folder of the results")
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(words)
    report = {
        "command": repeatable("bench.measuring.masked_autoencoder", words),
        "clip": clip_name(options.clip),
        "samples": options.count,
        "seeds": options.seeds,
        "rows": measure(options.clip, options.model, options.count, options.seeds),
        **circumstances(),
    }
    publish(options.out / f"encoder-{report['clip']}", report, page(report))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
