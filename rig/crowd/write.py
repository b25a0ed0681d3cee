"""Writing of members into the file: as copies of the character, or as other motions of existing members."""

from __future__ import annotations

import bpy

from ...core.motion.skeleton import body_size
from ..compat import check_not_tweaked
from ..ownership import let_go, mark_made
from ..writing.cyclic import mark_cyclic
from ..writing.new_action import HOLD, LINEAR
from .character import Character
from .crowd import MemberState, give_action, place_member
from .job import MemberResult
from .keys import BEZIER, ActionMaker, moving
from .request import PreparedJob, learned_source
from .settings import CrowdSettings


class CrowdWriter:
    """Writes the members of a finished job, one per call, so that Blender stays responsive."""

    def __init__(
        self, scene: bpy.types.Scene, armature: bpy.types.Object, prepared: PreparedJob, settings: CrowdSettings
    ) -> None:
        job = prepared.job
        self.settings, self._ready, self._last = settings, job.ready, scene.frame_end
        self._actions: ActionMaker | None = None
        self._before: list[MemberState] = []
        if not job.ready:
            return
        plan = prepared.maker.plan
        size = body_size(plan.rest.matrices[:, :3, 3])
        moves = moving([one.keys for one in job.ready], job.names, size, settings.light)
        self._actions = ActionMaker(
            armature,
            job.names,
            moves,
            len(job.ready[0].keys.rows),
            learned_source(armature, settings),
            plan.first,
            interpolation=BEZIER if settings.light else HOLD if prepared.maker.spacing > 1 else LINEAR,
            loop=settings.loop and not settings.nla,
        )

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, index: int, character: Character, collection: bpy.types.Collection, number: int) -> None:
        """Copy the character and give it the motion of this index; `number` is the member's."""
        member = character.copy(collection, number)
        self.replace(index, member)

    def replace(self, index: int, member: bpy.types.Object) -> None:
        """Give a member the motion of this index and its place; the member's previous state can be restored.

        Raises ClipError in the NLA's Tweak Mode.
        """
        ready, settings = self._ready[index], self.settings
        check_not_tweaked(member)
        before = MemberState.of(member)
        if before is not None:
            self._before.append(before)
        place_member(member, ready.world, ready.path, ready.spot)
        start = settings.frame_start - ready.offset
        name = f"{member.name} {settings.model}"
        action = self._actions.write(name, member.name, ready.keys, start, self._properties(member, ready))
        length = int(ready.keys.rows[-1])
        if settings.loop:
            mark_cyclic(action, start, start + length)
        mark_made(action)
        repeat = (self._last - start) / length if settings.loop else 1.0
        give_action(member, action, nla=settings.nla, repeat=repeat)

    def _properties(self, member: bpy.types.Object, ready: MemberResult) -> dict[str, str | int | float | bool]:
        """Return the id-properties from which an action can be generated again."""
        settings = self.settings
        seed, number = ready.key
        return {
            "riff_model": settings.model,
            "riff_seed": seed,
            "riff_index": number,
            "riff_armature": member.name,
            "riff_frames": int(ready.keys.rows[-1]) + 1,
            "riff_source": settings.source,
            "riff_coarse": settings.coarse,
            "riff_fine": settings.fine,
            "riff_clean_feet": settings.clean_feet,
            "riff_loop": settings.loop,
        }

    def keep(self) -> None:
        """Accept the new members: remove motions that members had before."""
        for name in {before.action for before in self._before}:
            action: bpy.types.Action | None = bpy.data.actions.get(name)
            if action is not None:
                let_go(action)
        self._before.clear()

    def take_back(self) -> None:
        """Restore the previous motions and places of members that were replaced."""
        for before in self._before:
            before.give_back()
        self._before.clear()

    def close(self) -> None:
        if self._actions is not None:
            self._actions.close()
            self._actions = None
