"""The contact loss of a stage (Roditakis et al. 2024, eq. 4), from foot speed by forward kinematics."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..model.channels import Channels
from ..motion.skeleton import GROUP


class FootSpeed:
    """Speed of each contact joint from network output, by forward kinematics along its own chain (eq. 4).

    It is relative to `belt`, the planar velocity in core units per 1/30 s of the ground under a walk in place. Raises
    ValueError for a skeleton without contacts.
    """

    def __init__(self, channels: Channels, device: torch.device, belt: tuple[float, float] = (0.0, 0.0)) -> None:
        skeleton = channels.skeleton
        self.belt = belt
        chains = [[*reversed(skeleton.ancestors(joint)), joint] for joint in skeleton.contacts]
        depth = max(len(chain) for chain in chains)
        column = {int(channel): index for index, channel in enumerate(channels.columns) if channel >= 0}
        used = sorted({joint for chain in chains for joint in chain})
        place = {joint: index for index, joint in enumerate(used)}
        identity = len(used)
        self.gain = torch.from_numpy(channels.gain).float().to(device)[:, None]
        self.middle = torch.from_numpy(channels.middle).float().to(device)[:, None]
        self.still = torch.from_numpy(channels.still).float().to(device)
        sources = np.array([[j * GROUP + k for k in range(GROUP)] for j in used])
        self.columns, self.learned = _lookup(sources, column, device)
        self.sources = torch.from_numpy(sources).to(device)
        padded = [[identity] * (depth - len(chain)) + [place[j] for j in chain[::-1]] for chain in chains]
        self.chains = torch.tensor(padded, device=device)
        steps = np.zeros((len(chains), depth, 3))
        for row, chain in enumerate(chains):
            below = [np.zeros(3), *(skeleton.offsets[j] for j in chain[:0:-1])]
            steps[row, depth - len(chain) :] = below
        self.offsets = torch.from_numpy(steps).float().to(device)
        self.slides = self._slides(channels, chains, column, depth)
        self.root = [column[skeleton.root_channel + k] for k in range(3)]
        self.labels = torch.tensor([column[c] for c in skeleton.contact_channels], device=device)

    @staticmethod
    def _slides(
        channels: Channels, chains: list[list[int]], column: dict[int, int], depth: int
    ) -> list[list[tuple[int, list[int]]]]:
        """At each step of the chains, from the feet up: whose joint slides against its parent, and the columns that
        say where it is."""
        skeleton = channels.skeleton
        first = dict(zip(skeleton.translated, skeleton.translated_channels, strict=True))
        slides: list[list[tuple[int, list[int]]]] = [[] for _ in range(depth)]
        for row, chain in enumerate(chains):
            for step, joint in enumerate(chain[:0:-1], start=depth - len(chain) + 1):
                if first.get(joint, -1) in column:
                    slides[step].append((row, [column[first[joint] + axis] for axis in range(3)]))
        return slides

    def __call__(self, x: Tensor, frames_per_row: float) -> Tensor:
        """World speed (B, K, T - 1) in core units per 1/30 s of rows (B, C, T) that are `frames_per_row` apart."""
        x = self.middle + (x - self.middle) / self.gain
        relative = self._feet(x)
        velocity = relative.diff(dim=-1) / frames_per_row
        height = x[:, self.root[2]].diff(dim=-1) / frames_per_row
        plane = [x[:, self.root[axis], 1:] - self.belt[axis] for axis in (0, 1)]
        root = torch.stack([*plane, height], dim=1)
        total = velocity + root[:, None]
        return (total.square().sum(2) + 1e-10).sqrt()

    def contact_labels(self, x: Tensor) -> Tensor:
        """Contact labels (B, K, T) in rows (B, C, T)."""
        middle = self.middle[self.labels]
        return middle + (x[:, self.labels] - middle) / self.gain[self.labels]

    def _feet(self, x: Tensor) -> Tensor:
        """Places of the contact joints relative to the root joint, (B, K, 3, T)."""
        batch, _, frames = x.shape
        six = torch.where(
            self.learned[..., None],
            x[:, self.columns.reshape(-1)].reshape(batch, -1, GROUP, frames),
            self.still[self.sources][..., None],
        )
        axes = _orthonormal(six)
        eye = torch.eye(3, device=x.device).reshape(1, 1, 3, 3, 1).expand(batch, 1, 3, 3, frames)
        axes = torch.cat([axes, eye], dim=1)
        place = x.new_zeros(batch, len(self.chains), 3, frames)
        for step in range(self.chains.shape[1]):
            place = place + self.offsets[:, step, :, None]
            for row, columns in self.slides[step]:
                place[:, row] = place[:, row] + x[:, columns]
            turn = axes[:, self.chains[:, step]]
            place = (turn * place[:, :, :, None]).sum(2)
        return place


def contact_loss(speed: Tensor, labels: Tensor, squared: bool) -> Tensor:
    """L_con (eq. 4): foot speed, plain or squared, where the label says that the foot stands; labels (B, K, T)."""
    standing = torch.sigmoid((labels[..., 1:] - 0.5) * 12.0)
    return ((speed.square() if squared else speed) * standing).mean()


def _lookup(sources: np.ndarray, column: dict[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
    columns = np.vectorize(lambda channel: column.get(int(channel), 0))(sources)
    learned = np.vectorize(lambda channel: int(channel) in column)(sources)
    return torch.from_numpy(columns).to(device), torch.from_numpy(learned).to(device)


def _orthonormal(six: Tensor) -> Tensor:
    """Columns of rotation matrices (B, J, 3 columns, 3, T) from six numbers (B, J, 6, T) by Gram-Schmidt."""
    first = _normalise(six[:, :, :3])
    second = six[:, :, 3:]
    second = _normalise(second - (first * second).sum(2, keepdim=True) * first)
    third = torch.cross(first, second, dim=2)
    return torch.stack([first, second, third], dim=2)


def _normalise(vectors: Tensor) -> Tensor:
    return vectors / (vectors.square().sum(2, keepdim=True) + 1e-12).sqrt()
