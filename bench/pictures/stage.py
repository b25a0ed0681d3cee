"""Stage for rendering a figure: checkered floor, camera, Workbench's light."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import bpy
import numpy as np
from mathutils import Vector

from .figure import Array, Figure, coloured

AZIMUTH = np.radians(18.0)  # the camera stands this far to the side of the front (-Y)
BACKGROUND = (0.90, 0.91, 0.92)
TILES = ((1.25, 1.27, 1.30, 1.0), (1.55, 1.56, 1.58, 1.0))  # Workbench's light leaves a floor dark
SHADOW = (0.55, 0.56, 0.60, 1.0)
LIGHT = np.array([0.30, 0.38])  # a shadow falls this far aside and back for each metre of height
TILES_ACROSS = 80
RESULT = "Render Result"  # the image that Blender adds to a file when it first renders
FADED = np.array([0.80, 0.80, 0.82])


@dataclass(frozen=True)
class Framing:
    """View of the camera around the followed point in metres, floor height in metres, and its elevation in radians."""

    aside: float
    depth: float
    top: float
    floor: float
    elevation: float

    @staticmethod
    def around(joints: Array, centres: Array, elevation: float = 11.0) -> Framing:
        """Fit the view to poses (n, joints, 3) around the followed points (n, 3); elevation in degrees."""
        lowest = float(joints[..., 2].min())
        top = float(joints[..., 2].max())
        # Many clips stand on zero; others stand anywhere.
        floor = 0.0 if abs(lowest) < 0.12 * (top - lowest) else lowest
        right = np.array([np.cos(AZIMUTH), np.sin(AZIMUTH), 0.0])
        around = joints - centres[:, None]
        aside = float(np.abs(around @ right).max())
        depth = float(np.abs(around @ np.array([right[1], -right[0], 0.0])).max())
        return Framing(aside, depth, top - floor, floor, np.radians(elevation))

    def tall(self) -> float:
        """Return the metres from the lowest to the highest point of the view."""
        return 1.08 * self.top * float(np.cos(self.elevation)) + 2.0 * self.depth * float(np.sin(self.elevation))

    def fitting_height(self, width: int) -> int:
        """Return the height in pixels that a picture of `width` pixels needs for the view, within limits."""
        return round(width * float(np.clip(self.tall() / (2.06 * self.aside), 0.7, 1.4)))

    def longer_side(self, size: tuple[int, int]) -> float:
        """Return the metres along the longer side of a picture of `size` pixels."""
        width, height = size
        metres = max(self.tall(), 2.06 * self.aside * height / width)
        return metres * max(width / height, 1.0)


class Stage:
    """Context that prepares a figure's temporary scene for rendering and clears it again."""

    def __init__(self, figure: Figure, framing: Framing, size: tuple[int, int]) -> None:
        self.figure, self.framing = figure, framing
        self.scene = figure.scene
        self.made: list[bpy.types.ID] = []
        self._set_up_render(size)
        self.shade = coloured("Shadow", SHADOW)
        self._keep(self.shade)
        self._lay_floor()
        self._place_camera(size)

    def __enter__(self) -> Stage:
        # A scene that no window shows is rendered in the pose of its first evaluation (4.5 and 5.2).
        self.rendered_before = RESULT in bpy.data.images
        self.shown_before = bpy.context.window.scene
        bpy.context.window.scene = self.scene
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        bpy.context.window.scene = self.shown_before
        if not self.rendered_before:
            bpy.data.images.remove(bpy.data.images[RESULT])
        for block in reversed(self.made):
            bpy.data.batch_remove([block])

    def shoot(self, centre: Array, file: Path) -> None:
        """Render the current pose to a PNG file, with the camera over `centre` (3,)."""
        backwards = Vector((np.sin(AZIMUTH), -np.cos(AZIMUTH), 0.0)) * np.cos(self.framing.elevation)
        backwards.z = np.sin(self.framing.elevation)
        target = Vector((centre[0], centre[1], self.framing.floor + 0.48 * self.framing.top))
        self.camera.location = target + backwards * self.distance
        self.camera.rotation_euler = backwards.to_track_quat("Z", "Y").to_euler()
        self.scene.render.filepath = str(file)
        shadows = [self._shadow(ob) for ob in self._bodies() if not ob.hide_render]
        bpy.ops.render.render(write_still=True)
        bpy.data.batch_remove([shadow.data for shadow in shadows])

    def freeze(self, solidity: float) -> None:
        """Leave a copy of the current pose on the stage, paler for a lower `solidity`, and hide the figure."""
        for ob in self._bodies():
            self._keep(self._shadow(ob).data)
            still = self._still(ob)
            self._keep(still)
            for slot, material in enumerate(still.materials):
                still.materials[slot] = self._paler(material, solidity)
            self.scene.collection.objects.link(bpy.data.objects.new("Still", still))
            ob.hide_render = True

    def _bodies(self) -> list[bpy.types.Object]:
        return [ob for ob in self.figure.made if isinstance(ob, bpy.types.Object) and ob.type == "MESH"]

    def _still(self, ob: bpy.types.Object) -> bpy.types.Mesh:
        """Copy the current pose of a mesh as a new mesh in world space."""
        depsgraph = self.scene.view_layers[0].depsgraph
        posed = ob.evaluated_get(depsgraph)
        still = bpy.data.meshes.new_from_object(posed, depsgraph=depsgraph)
        still.transform(posed.matrix_world)
        return still

    def _shadow(self, ob: bpy.types.Object) -> bpy.types.Object:
        """Project the current pose onto the floor: Workbench's own shadows take three times as long as all else."""
        flat = self._still(ob)
        points = np.empty(len(flat.vertices) * 3, dtype=np.float32)
        flat.vertices.foreach_get("co", points)
        points = points.reshape(-1, 3)
        points[:, :2] += np.maximum(points[:, 2:] - self.framing.floor, 0.0) * LIGHT
        points[:, 2] = self.framing.floor + 0.001 * self.framing.top
        flat.vertices.foreach_set("co", points.ravel())
        flat.shade_flat()
        flat.materials.clear()
        flat.materials.append(self.shade)
        shadow = bpy.data.objects.new("Shadow", flat)
        self.scene.collection.objects.link(shadow)
        return shadow

    def _paler(self, material: bpy.types.Material, solidity: float) -> bpy.types.Material:
        share = 0.15 + 0.85 * solidity
        pale = coloured("Still", (*(share * np.array(material.diffuse_color)[:3] + (1.0 - share) * FADED), 1.0))
        self._keep(pale)
        return pale

    def _keep(self, block: bpy.types.ID) -> None:
        self.made.append(block)

    def _link(self, ob: bpy.types.Object) -> None:
        self._keep(ob)
        self.scene.collection.objects.link(ob)

    def _set_up_render(self, size: tuple[int, int]) -> None:
        render, display = self.scene.render, self.scene.display
        render.engine = "BLENDER_WORKBENCH"  # type: ignore[assignment]  # the stubs know one engine only
        render.resolution_x, render.resolution_y = size
        render.resolution_percentage = 100
        render.image_settings.file_format = "PNG"
        self.scene.view_settings.view_transform = "Standard"  # type: ignore[assignment]  # as above
        world = bpy.data.worlds.new("Contact Sheet")
        world.color = BACKGROUND
        self._keep(world)
        self.scene.world = world
        display.render_aa = "8"
        shading = display.shading
        shading.light, shading.color_type = "STUDIO", "MATERIAL"
        shading.show_cavity, shading.cavity_type = True, "WORLD"
        shading.show_specular_highlight = False

    def _lay_floor(self) -> None:
        """Lay tiles a third of the figure's height wide, fixed in the world so that travelling is visible."""
        side = self.framing.top / 3.5
        edge = TILES_ACROSS // 2
        lines = range(-edge, edge + 1)
        points = [(x * side, y * side, self.framing.floor) for y in lines for x in lines]
        tiles = [(x, y) for y in range(2 * edge) for x in range(2 * edge)]
        corners = [y * len(lines) + x for x, y in tiles]
        mesh = bpy.data.meshes.new("Floor")
        mesh.from_pydata(points, [], [(c, c + 1, c + 2 * edge + 2, c + 2 * edge + 1) for c in corners])
        for colour in TILES:
            material = coloured("Floor", colour)
            mesh.materials.append(material)
            self._keep(material)
        mesh.polygons.foreach_set("material_index", [(x + y) % 2 for x, y in tiles])
        self._keep(mesh)
        self._link(bpy.data.objects.new("Floor", mesh))

    def _place_camera(self, size: tuple[int, int]) -> None:
        data = bpy.data.cameras.new("Contact Sheet")
        data.sensor_fit = "HORIZONTAL" if size[0] > size[1] else "VERTICAL"
        data.lens, data.sensor_width, data.sensor_height = 85.0, 36.0, 36.0
        self.distance = self.framing.longer_side(size) * 85.0 / 36.0
        data.clip_start, data.clip_end = 0.05 * self.distance, 50.0 * self.distance
        self._keep(data)
        self.camera = bpy.data.objects.new("Contact Sheet", data)
        self._link(self.camera)
        self.scene.camera = self.camera
