"""Which joint of a rig is which joint of a hand: tables for known rigs, or a table in a file beside the rig."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from handkp_plugins.fileio.json import read_json
from handkp_plugins.structures.skeleton import FINGERS, LONG_FINGERS

_PARTS = dict.fromkeys(LONG_FINGERS, ('mcp', 'pip', 'dip', 'tip')) | {'thumb': ('cmc', 'mcp', 'ip', 'tip')}
CHAINS = {finger: tuple(f'{finger}_{part}' for part in _PARTS[finger]) for finger in FINGERS}
"""Roles of each finger's joints, from its root to its tip."""
ROLES = ('wrist', *CHAINS['thumb'], *(role for f in LONG_FINGERS for role in (f'{f}_metacarpal', *CHAINS[f])))
"""Roles that a table names."""
OPTIONAL = frozenset(f'{finger}_metacarpal' for finger in LONG_FINGERS)
"""Roles, each at the near end of its bone, that a table may leave out."""


@dataclass(frozen=True)
class RigKind:
    """What is known of one maker's rigs."""

    name: str
    joints: Mapping[str, str]  # the rig's joint name of each role, with ``{side}`` for L or R
    textures: tuple[str, ...] = ()  # files of skin that belong to it but that its glTF does not name
    normal_maps: tuple[str, ...] = ()  # likewise


def _joints(wrist: str, thumb: str, thumb_parts: str, finger: str, fingers: str, parts: str) -> dict[str, str]:
    """Joint names by role, from templates of their names and the words to fill in."""
    of_thumb = [thumb.format(part) for part in thumb_parts.split()]
    of_fingers = [finger.format(name, part) for name in fingers.split() for part in parts.split()]
    return dict(zip(ROLES, [wrist, *of_thumb, *of_fingers], strict=True))


RIG_KINDS: tuple[RigKind, ...] = (
    RigKind(
        'Godot XR Tools',
        _joints(
            'Wrist_{side}',
            'Thumb_{}_{{side}}',
            'Metacarpal Proximal Distal Tip',
            '{}_{}_{{side}}',
            'Index Middle Ring Little',
            'Metacarpal Proximal Intermediate Distal Tip',
        ),
        textures=('caucasian_realistic_baseColor.png', 'african_realistic_baseColor.png'),
        normal_maps=('hands_normal.png',),
    ),
    RigKind(
        'WebXR generic hand',
        _joints(
            'wrist',
            'thumb-{}',
            'metacarpal phalanx-proximal phalanx-distal tip',
            '{}-finger-{}',
            'index middle ring pinky',
            'metacarpal phalanx-proximal phalanx-intermediate phalanx-distal tip',
        ),
    ),
)


def find_kind(rig: Path, joint_names: list[str]) -> tuple[RigKind, dict[str, int]]:
    """Find the kind of a rig, and the index in its joints of each role.

    A table beside the rig, a JSON object from roles to joint names, comes before the known ones.
    """
    own = rig.with_suffix('.joints.json')
    kinds = (_own_kind(own),) if own.is_file() else RIG_KINDS
    for kind in kinds:
        for side in 'LR':
            wanted = {role: name.replace('{side}', side) for role, name in kind.joints.items()}
            found = {role: joint_names.index(name) for role, name in wanted.items() if name in joint_names}
            if set(ROLES) - OPTIONAL <= set(found):
                return kind, found
    raise ValueError(
        f'{rig}: its joints are those of no rig known ({", ".join(kind.name for kind in kinds)}). It has '
        f'{sorted(joint_names)}. Say which is which in {own}, a JSON object with an entry (role: joint name) for each '
        f'of {[role for role in ROLES if role not in OPTIONAL]} and, where it has them, {sorted(OPTIONAL)}'
    )


def _own_kind(path: Path) -> RigKind:
    table = read_json(path, 'a JSON object from roles to joint names')
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table.values()):
        raise ValueError(f'{path}: expected a JSON object from roles to joint names')
    if unknown := sorted(set(table) - set(ROLES)):
        raise ValueError(f'{path}: expected roles {list(ROLES)}, got {unknown}')
    return RigKind(path.name, table)
