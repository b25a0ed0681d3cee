"""Contact sheets of a source action and its variations: rows of poses, and paths over the floor."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .figure import Array, Figure, make_figure
from .stage import Framing, Stage

Progress = Callable[[float, str], None]

PAPER = (246, 245, 242)
INK = (40, 42, 48)
FAINT_INK = (130, 132, 138)
MARK_COLOUR = (40, 150, 80)
LABEL_WIDTH = 150
MARGIN_PIXELS = 14
GAP_PIXELS = 4


@dataclass(frozen=True)
class Cell:
    """Picture of the sheet: an action at a frame."""

    action: bpy.types.Action
    frame: float


def render_contact_sheet(
    scene: bpy.types.Scene,
    armature: bpy.types.Object,
    actions: Sequence[bpy.types.Action],
    path: str | Path,
    columns: int = 12,
    cell_width: int = 168,
    on_progress: Progress | None = None,
    *,
    marks: Sequence[Sequence[tuple[float, float]]] = (),
    tinted: Collection[str] = (),
    labels: Sequence[str] = (),
) -> Path:
    """Render actions as rows of poses, evenly spaced in time, into one PNG; the first action is the source.

    The camera follows the figure over a checkered floor, so floating, sinking and travelling show. `scene` lends
    its frame rate; it, the armature and the file stay as they were. `cell_width` is a picture's width in pixels; its
    height follows from the source's poses. `marks` are spans of frames of each row whose pictures get a green frame,
    `tinted` bones that are green, `labels` what is said of each row under its name.
    Raises ValueError without actions.
    """
    if not actions:
        raise ValueError("A contact sheet needs at least one action")
    rows = [[Cell(action, frame) for frame in _spread(action, columns)] for action in actions]
    figure = make_figure(armature, tinted)
    try:
        with tempfile.TemporaryDirectory() as folder:
            pictures = _render_cells(figure, rows, cell_width, Path(folder), on_progress)
    finally:
        figure.remove()
    sheet = _compose(rows, pictures, scene.render.fps / scene.render.fps_base, marks, labels)
    return _save(sheet, path)


def render_path_sheet(
    scene: bpy.types.Scene,
    armature: bpy.types.Object,
    actions: Sequence[bpy.types.Action],
    path: str | Path,
    poses: int = 16,
    size: tuple[int, int] = (1000, 460),
    on_progress: Progress | None = None,
) -> Path:
    """Render one picture for each action: many poses where they happen on the floor, later ones more solid.

    Arguments, effects and errors are those of `render_contact_sheet`.
    """
    if not actions:
        raise ValueError("A path sheet needs at least one action")
    pictures = []
    figure = make_figure(armature)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for number, action in enumerate(actions):
                file = Path(folder) / f"{number}.png"
                _render_path(figure, action, _spread(action, poses), size, file)
                pictures.append([_loaded(file)])
                _report(on_progress, number + 1, len(actions))
    finally:
        figure.remove()
    rows = [[Cell(action, action.frame_range[0])] for action in actions]
    return _save(_compose(rows, pictures, scene.render.fps / scene.render.fps_base), path)


def _spread(action: bpy.types.Action, count: int) -> Array:
    start, end = action.frame_range[0], action.frame_range[1]
    return np.round(start + (np.arange(count, dtype=np.float64) + 0.5) / count * (end - start))


def _report(on_progress: Progress | None, done: int, total: int) -> None:
    if on_progress:
        on_progress(done / total, f"Rendered picture {done} of {total}")


def _render_cells(
    figure: Figure, rows: list[list[Cell]], width: int, folder: Path, on_progress: Progress | None
) -> list[list[Image.Image]]:
    framing = _framing(figure, rows)
    size = (width, framing.fitting_height(width))
    pictures: list[list[Image.Image]] = []
    total = sum(len(row) for row in rows)
    with Stage(figure, framing, size) as stage:
        for row in rows:
            pictures.append([])
            for cell in row:
                figure.show(cell.action, cell.frame)
                file = folder / f"{len(pictures)}-{len(pictures[-1])}.png"
                stage.shoot(figure.centre(), file)
                pictures[-1].append(_loaded(file))
                _report(on_progress, (len(pictures) - 1) * len(row) + len(pictures[-1]), total)
    return pictures


def _framing(figure: Figure, rows: list[list[Cell]]) -> Framing:
    """Fit the view to every pose of the source; poses of variations beyond it are cut off."""
    joints, centres = [], []
    source = rows[0][0].action
    for frame in _spread(source, 4 * len(rows[0])):
        figure.show(source, frame)
        joints.append(figure.joints())
        centres.append(figure.centre())
    return Framing.around(np.array(joints), np.array(centres))


def _render_path(figure: Figure, action: bpy.types.Action, frames: Array, size: tuple[int, int], file: Path) -> None:
    joints = []
    for frame in frames:
        figure.show(action, frame)
        joints.append(figure.joints())
    everything = np.array(joints)
    middle = np.append(0.5 * (everything.min((0, 1)) + everything.max((0, 1)))[:2], 0.0)
    framing = Framing.around(everything, np.repeat(middle[None], len(frames), 0), elevation=24.0)
    with Stage(figure, framing, size) as stage:
        for number, frame in enumerate(frames):
            figure.show(action, frame)
            stage.freeze((number + 1) / len(frames))
        stage.shoot(middle, file)


def _loaded(file: Path) -> Image.Image:
    with Image.open(file) as image:
        return image.convert("RGB")


def _compose(
    rows: list[list[Cell]],
    pictures: list[list[Image.Image]],
    fps: float,
    marks: Sequence[Sequence[tuple[float, float]]] = (),
    labels: Sequence[str] = (),
) -> Image.Image:
    width, height = pictures[0][0].size
    columns = max(len(row) for row in rows)
    sheet_width = 2 * MARGIN_PIXELS + LABEL_WIDTH + columns * (width + GAP_PIXELS) - GAP_PIXELS
    sheet = Image.new("RGB", (sheet_width, 2 * MARGIN_PIXELS + len(rows) * (height + GAP_PIXELS) - GAP_PIXELS), PAPER)
    draw = ImageDraw.Draw(sheet)
    for y, (row, images) in enumerate(zip(rows, pictures, strict=True)):
        top = MARGIN_PIXELS + y * (height + GAP_PIXELS)
        role = labels[y] if y < len(labels) else "source" if y == 0 else f"variation {y}"
        _label(draw, row[0].action, role, fps, (MARGIN_PIXELS, top + height // 2))
        for x, (shot, image) in enumerate(zip(row, images, strict=True)):
            left = MARGIN_PIXELS + LABEL_WIDTH + x * (width + GAP_PIXELS)
            sheet.paste(image, (left, top))
            if y < len(marks) and any(start <= shot.frame <= end for start, end in marks[y]):
                draw.rectangle((left, top, left + width - 1, top + height - 1), outline=MARK_COLOUR, width=4)
            if len(row) > 1:
                seconds = (shot.frame - shot.action.frame_range[0]) / fps
                draw.text((left + 6, top + 4), f"{seconds:.1f} s", fill=FAINT_INK, font=_font(12))
    return sheet


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=size)


def _label(draw: ImageDraw.ImageDraw, action: bpy.types.Action, role: str, fps: float, place: tuple[int, int]) -> None:
    font = _font(17)
    lines = _wrapped(draw, action.name, font)
    left, y = place[0], place[1] - 11 * len(lines) - 9
    for line in lines:
        draw.text((left, y), line, fill=INK, font=font)
        y += 22
    start, end = action.frame_range[0], action.frame_range[1]
    draw.text((left, y + 2), f"{role}, {(end - start + 1) / fps:.1f} s", fill=FAINT_INK, font=_font(13))


def _wrapped(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> list[str]:
    """Break a name into lines that fit the label column, between words where it can."""
    lines = [""]
    for word in text.replace("_", " ").split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font=font) <= LABEL_WIDTH - 10:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line for line in lines if line][:5]


def _save(sheet: Image.Image, path: str | Path) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, optimize=True)
    return path
