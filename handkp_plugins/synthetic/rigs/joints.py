"""Which joint of a rig is which joint of a hand: tables for known rigs, and how a rig without one is told about."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from handkp_plugins.structures.skeleton import LONG_FINGERS

PARTS = ('metacarpal', 'mcp', 'pip', 'dip', 'tip')
THUMB_PARTS = ('cmc', 'mcp', 'ip', 'tip')
ROLES: tuple[str, ...] = (
    'wrist',
    *(f'thumb_{part}' for part in THUMB_PARTS),
    *(f'{finger}_{part}' for finger in LONG_FINGERS for part in PARTS),
)
"""What a table may name. The metacarpals (each at the near end of its bone) are the only ones it may leave out."""
OPTIONAL = frozenset(f'{finger}_metacarpal' for finger in LONG_FINGERS)


@dataclass(frozen=True)
class RigKind:
    """What is known of one maker's rigs.

    Args:
        name: of the rig.
        joints: the rig's joint name of each role, with ``{side}`` for L or R.
        textures: file names of skin textures that belong to it but that its glTF does not name.
        normal_maps: likewise, of its normal map.
    """

    name: str
    joints: Mapping[str, str]
    textures: tuple[str, ...] = ()
    normal_maps: tuple[str, ...] = ()


def _table(wrist: str, thumb: list[str], finger: str, names: list[str], parts: list[str]) -> dict[str, str]:
    table = {'wrist': wrist}
    table |= {f'thumb_{role}': joint for role, joint in zip(THUMB_PARTS, thumb, strict=True)}
    for ours, theirs in zip(LONG_FINGERS, names, strict=True):
        table |= {f'{ours}_{r}': finger.replace('FINGER', theirs).replace('PART', p)
                  for r, p in zip(PARTS, parts, strict=True)}  # fmt: skip
    return table


RIG_KINDS: tuple[RigKind, ...] = (
    RigKind(
        'Godot XR Tools',
        _table(
            'Wrist_{side}',
            [f'Thumb_{part}_{{side}}' for part in ('Metacarpal', 'Proximal', 'Distal', 'Tip')],
            'FINGER_PART_{side}',
            ['Index', 'Middle', 'Ring', 'Little'],
            ['Metacarpal', 'Proximal', 'Intermediate', 'Distal', 'Tip'],
        ),
        textures=('caucasian_realistic_baseColor.png', 'african_realistic_baseColor.png'),
        normal_maps=('hands_normal.png',),
    ),
    RigKind(
        'WebXR generic hand',
        _table(
            'wrist',
            [f'thumb-{part}' for part in ('metacarpal', 'phalanx-proximal', 'phalanx-distal', 'tip')],
            'FINGER-finger-PART',
            ['index', 'middle', 'ring', 'pinky'],
            ['metacarpal', 'phalanx-proximal', 'phalanx-intermediate', 'phalanx-distal', 'tip'],
        ),
    ),
)


def table_path(rig: Path) -> Path:
    """Where a rig's own table lies: ``hand.glb`` has ``hand.joints.json``."""
    return rig.with_suffix('.joints.json')


def find_kind(rig: Path, joint_names: list[str]) -> tuple[RigKind, dict[str, int]]:
    """The kind of a rig, and where in its joints each role is found.

    A table of its own, beside the rig, comes before the known ones: a JSON object from roles to joint names.

    Raises:
        ValueError: no table fits; the message lists the joints found and the entries needed.
    """
    own = table_path(rig)
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
    try:
        table = json.loads(path.read_text(encoding='utf-8'))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f'{path}: expected JSON ({error})') from error
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table.values()):
        raise ValueError(f'{path}: expected a JSON object from roles to joint names')
    if unknown := sorted(set(table) - set(ROLES)):
        raise ValueError(f'{path}: expected roles {list(ROLES)}, got {unknown}')
    return RigKind(path.name, table)
