"""glTF: what a file says comes out as it was put in; files that are damaged, or reach out of their folder, do not."""

import base64
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.tube_hand import tube_hand, write_tube_hand

from handkp_plugins.synthetic.rigs.gltf import read_skinned_mesh


def save(document: dict[str, Any], path: Path) -> Path:
    path.write_text(json.dumps(document))
    return path


def payload(document: dict[str, Any]) -> bytes:
    return base64.b64decode(document['buffers'][0]['uri'].partition(',')[2])


def write_glb(document: dict[str, Any], path: Path, cut: int = 0) -> Path:
    blob = payload(document)
    del document['buffers'][0]['uri']
    text = json.dumps(document).encode()
    text += b' ' * (-len(text) % 4)
    data = struct.pack('<I4s', len(text), b'JSON') + text + struct.pack('<I4s', len(blob), b'BIN\0') + blob
    data = b'glTF' + struct.pack('<II', 2, 12 + len(data)) + data
    path.write_bytes(data[: len(data) - cut])
    return path


def test_two_points_and_a_triangle_by_hand(tmp_path):
    """Three points, one of them half of each joint; the second joint lies at (1, 2, 3)."""
    bind = np.tile(np.eye(4, dtype='<f4'), (2, 1, 1))
    bind[1, :3, 3] = [-1, -2, -3]
    arrays = [
        np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], '<f4'),
        np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], '<u1'),
        np.array([[128, 128, 0, 0], [255, 0, 0, 0], [255, 0, 0, 0]], '<u1'),
        bind.transpose(0, 2, 1),
    ]
    blob, views = b'', []
    for array in arrays:
        views.append({'buffer': 0, 'byteOffset': len(blob), 'byteLength': array.nbytes})
        blob += array.tobytes()
    kinds = [('VEC3', 5126, 3), ('VEC4', 5121, 3), ('VEC4', 5121, 3), ('MAT4', 5126, 2)]
    document = {
        'nodes': [{'name': 'a'}, {'name': 'b'}, {'mesh': 0, 'skin': 0}],
        'skins': [{'joints': [0, 1], 'inverseBindMatrices': 3}],
        'meshes': [{'primitives': [{'attributes': {'POSITION': 0, 'JOINTS_0': 1, 'WEIGHTS_0': 2}}]}],
        'accessors': [
            {'bufferView': i, 'type': t, 'componentType': c, 'count': n, 'normalized': i == 2}
            for i, (t, c, n) in enumerate(kinds)
        ],
        'bufferViews': views,
        'buffers': [{'byteLength': len(blob), 'uri': 'data:;base64,' + base64.b64encode(blob).decode()}],
    }
    mesh = read_skinned_mesh(save(document, tmp_path / 'tiny.gltf'))
    assert mesh.points.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]] and mesh.faces.tolist() == [[0, 1, 2]]
    assert mesh.weights.tolist() == [[0.5, 0.5], [0, 1], [1, 0]]
    assert mesh.joint_names == ['a', 'b'] and mesh.joints[1, :3, 3].tolist() == [1, 2, 3]
    assert mesh.uv is None and mesh.texture is None


def test_binary_and_separate_files_hold_the_same(tmp_path):
    embedded = read_skinned_mesh(write_tube_hand(tmp_path / 'hand.gltf'))
    (tmp_path / 'parts').mkdir()
    document = tube_hand()
    (tmp_path / 'parts/my data.bin').write_bytes(payload(document))
    document['buffers'][0]['uri'] = 'parts/my%20data.bin'
    for path in (write_glb(tube_hand(), tmp_path / 'hand.glb'), save(document, tmp_path / 'separate.gltf')):
        mesh = read_skinned_mesh(path)
        for name in ('points', 'faces', 'weights', 'joints', 'uv'):
            assert np.array_equal(getattr(mesh, name), getattr(embedded, name)), name
    assert embedded.weights.sum(1) == pytest.approx(1)


def test_the_texture_is_rgb(tmp_path):
    document = tube_hand(textured=True)
    mesh = read_skinned_mesh(save(document, tmp_path / 'hand.gltf'))
    assert mesh.texture.shape == (8, 40, 3) and mesh.texture[0, 0].tolist() == [60, 60, 60]
    document['images'][0]['uri'] = 'data:image/png;base64,AAAA'
    with pytest.raises(ValueError, match=r'hand.gltf: image 0: expected an image .* got 3'):
        read_skinned_mesh(save(document, tmp_path / 'hand.gltf'))


@pytest.mark.parametrize('uri', ['../secret.bin', '%2e%2e/secret.bin', '/etc/hostname', 'http://a.example/secret.bin'])
def test_files_outside_the_folder_are_refused(tmp_path, uri):
    (tmp_path / 'secret.bin').write_bytes(b'secret')
    (tmp_path / 'in').mkdir()
    document = tube_hand()
    document['buffers'][0]['uri'] = uri
    with pytest.raises(ValueError, match='buffer 0: uri: expected a data: URI or a file below'):
        read_skinned_mesh(save(document, tmp_path / 'in/hand.gltf'))


def test_links_out_of_the_folder_are_refused(tmp_path):
    (tmp_path / 'secret.bin').write_bytes(b'secret')
    (tmp_path / 'in').mkdir()
    (tmp_path / 'in/link.bin').symlink_to(tmp_path / 'secret.bin')
    document = tube_hand()
    document['buffers'][0]['uri'] = 'link.bin'
    with pytest.raises(ValueError, match='a file below'):
        read_skinned_mesh(save(document, tmp_path / 'in/hand.gltf'))


def _set(*keys: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = to

    return change


def _not_a_number(document: dict[str, Any]) -> None:
    blob = b'\xff\xff\xff\xff' + payload(document)[4:]
    document['buffers'][0]['uri'] = 'data:;base64,' + base64.b64encode(blob).decode()


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (_set('accessors', 0, 'count', to=10**9), r'accessor 0: expected 1000000000 rows of 12 bytes, got \d+ bytes'),
        (
            _set('accessors', 0, 'byteOffset', to=-4),
            r'accessor 0: byteOffset: expected a whole number, .* got -4',
        ),
        (_set('accessors', 0, 'type', to='VEC2'), r'accessor 0: expected VEC3 of one of .* got VEC2 of 5126'),
        (_set('accessors', 2, 'componentType', to=5126), r'accessor 2: expected VEC4 of one of \[5121, 5123, 5125\]'),
        (_set('accessors', 3, 'sparse', to={}), r'accessor 3: expected a bufferView, got a sparse'),
        (_set('bufferViews', 1, 'byteLength', to=10**9), r'bufferView 1: expected bytes \d+ to \d+, got \d+ bytes'),
        (_set('buffers', 0, 'byteLength', to=10**9), r'buffer 0: expected 1000000000 bytes, got \d+'),
        (_set('buffers', 0, 'uri', to='data:;base64,?'), r'buffer 0: uri: expected base64, got'),
        (_set('buffers', 0, 'uri', to='data:,abc'), r'buffer 0: uri: expected a data: URI in base64'),
        (_set('skins', 0, 'joints', to=[0]), r'skin 0: expected 1 inverse bind matrices, one a joint, got 25'),
        (_set('skins', 0, 'joints', to=[99] * 25), r'nodes: expected entry 0 to 25, got 99'),
        (_set('meshes', 0, 'primitives', 0, 'mode', to=1), r'expected triangles \(mode 4\), got mode 1'),
        (
            _set('meshes', 0, 'primitives', 0, 'attributes', to={'POSITION': 0}),
            r"got no \['JOINTS_0', 'WEIGHTS_0'\]",
        ),
        (
            _set('meshes', 0, 'primitives', 0, 'attributes', to=7),
            r'built as glTF 2.0 prescribes, got TypeError',
        ),
        (_set('extensionsRequired', to=['KHR_draco']), r"extensionsRequired: expected none, got .*'KHR_draco'"),
        (_set('nodes', to=[{'name': 'wrist'}]), r'nodes: expected a mesh with skin 0, got none'),
        (_set('nodes', to='x'), r'built as glTF 2.0 prescribes, got AttributeError'),
        (_not_a_number, r'accessor 0: expected finite numbers'),
    ],
)
def test_damaged_files_say_what_is_wrong(tmp_path, change, message):
    document = tube_hand()
    change(document)
    path = save(document, tmp_path / 'damaged.gltf')
    with pytest.raises(ValueError, match=rf'damaged.gltf: .*{message}'):
        read_skinned_mesh(path)


def test_files_that_are_no_gltf(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'rig: expected an existing .*none\.glb'):
        read_skinned_mesh(tmp_path / 'none.glb')
    path = tmp_path / 'hand.gltf'
    for content, message in ((b'\x00\xff', 'UnicodeDecodeError'), (b'[]', 'AttributeError'), (b'glTF', 'error')):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            read_skinned_mesh(path)
    with pytest.raises(ValueError, match=r'hand.glb: buffer 0: expected \d+ bytes, got \d+'):
        read_skinned_mesh(write_glb(tube_hand(), tmp_path / 'hand.glb', cut=100))
    document = tube_hand()
    document['buffers'][0]['uri'] = 'gone.bin'
    with pytest.raises(FileNotFoundError, match=r"buffer 0: uri: expected an existing file, got 'gone.bin'"):
        read_skinned_mesh(save(document, path))
