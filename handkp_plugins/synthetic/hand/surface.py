"""Changes to a triangle mesh, each as a sparse matrix from old points to new ones, so that whatever is known of the
points (places, weights, colours) goes along: ``new = matrix @ old``.

VTK's filters do not fit: ``vtkLoopSubdivisionFilter`` has other weights, rounds to single precision and refuses meshes
that are not manifold, ``vtkClipPolyData`` does not give the cut's outline, ``vtkCleanPolyData`` not what merges.
"""

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags, eye, vstack


def merge_points(points: np.ndarray, faces: np.ndarray, within: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join points (V, 3) that fall into one cell of a grid of this width, such as the doubles along a texture's seam.

    Returns the id (V,) of each point's cell, one point (U,) of each cell, and which faces (F,) still have an area.
    """
    _, first, ids = np.unique(np.rint(points / within).astype(np.int64), axis=0, return_index=True, return_inverse=True)
    ids = ids.reshape(-1)
    a, b, c = ids[faces].T
    return ids, first, (a != b) & (b != c) & (c != a)


def neighbour_mean(faces: np.ndarray, num_points: int) -> csr_matrix:
    """(V, V) matrix that averages over the neighbours of each point, without the point itself."""
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    adjacency = coo_matrix((np.ones(len(edges)), edges.T), shape=(num_points, num_points)).tocsr()
    adjacency = ((adjacency + adjacency.T) > 0).astype(float)
    return diags(1 / np.maximum(np.asarray(adjacency.sum(1)).ravel(), 1)) @ adjacency


def subdivide(faces: np.ndarray, num_points: int) -> tuple[csr_matrix, np.ndarray]:
    """One step of Loop's subdivision: the matrix (V + E, V), and four triangles for each one, in the order of faces.

    Source: Loop, *Smooth Subdivision Surfaces Based on Triangles*, 1987, with Warren's weights. Borders stay lines.
    """
    sides = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, of_face, count = np.unique(sides, axis=0, return_inverse=True, return_counts=True)
    of_face, inner = of_face.reshape(-1, 3), count == 2
    # a point on each edge: from the edge's ends and, inside the surface, the two corners across
    ends = _pair_matrix(edges, np.ones(edges.shape), num_points)
    corners = (of_face[:, [1, 2, 0]].ravel(), faces.ravel())
    across = coo_matrix((np.ones(faces.size), corners), ends.shape).tocsr()
    middles = diags(np.where(inner, 3 / 8, 1 / 2)) @ ends + diags(np.where(inner, 1 / 8, 0.0)) @ across
    # old points move towards their neighbours; on a border, towards those along it only
    neighbours, along_border = ends.T @ ends, ends[~inner].T @ ends[~inner]
    valence, border = neighbours.diagonal(), along_border.diagonal()
    beta = np.where(border > 0, 0.0, np.where(valence == 3, 3 / 16, 3 / (8 * np.maximum(valence, 1))))
    border_beta = np.where(border == 2, 1 / 8, 0.0)
    moved = diags(beta) @ (neighbours - diags(valence)) + diags(border_beta) @ (along_border - diags(border))
    old = moved + diags(1 - valence * beta - 2 * border_beta)
    matrix = vstack([old, middles]).tocsr()
    matrix.sort_indices()
    return matrix, split_triangles(faces, num_points + of_face)


def split_triangles(corners: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Four triangles (4F, 3, ...) for each one, from whatever its corners and its edges' middles (F, 3, ...) hold."""
    a, b, c = (corners[:, i] for i in range(3))
    ab, bc, ca = (middles[:, i] for i in range(3))
    four = [np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    return np.stack(four, axis=1).reshape(-1, *corners.shape[1:])


def cut_mesh(faces: np.ndarray, height: np.ndarray) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
    """Keep what has a positive height (V,), and cut triangles that cross zero.

    Returns the matrix to the new points, the new faces, and the cut's directed edges (N, 2) as ids of points.
    """
    kept = height > 0
    num_kept = kept[faces].sum(1)
    # turn each crossing triangle so that the corner that stands alone comes first
    crossing = faces[(num_kept == 1) | (num_kept == 2)]
    alone = kept[crossing] == (kept[crossing].sum(1) == 1)[:, None]
    a, b, c = (crossing[np.arange(len(crossing)), (alone.argmax(1) + i) % 3] for i in range(3))
    pairs = np.sort(np.stack([a, b, a, c], 1).reshape(-1, 2), axis=1)
    pairs, of_pair = np.unique(pairs, axis=0, return_inverse=True)
    share = height[pairs[:, 0]] / (height[pairs[:, 0]] - height[pairs[:, 1]])
    on_cut = _pair_matrix(pairs, np.stack([1 - share, share], axis=1), len(height))
    ab, ac = (len(height) + of_pair.reshape(-1, 2)).T
    one = kept[a]
    border = np.where(one[:, None], np.stack([ab, ac], 1), np.stack([ac, ab], 1))
    faces = np.concatenate([
        faces[num_kept == 3],
        np.stack([a, ab, ac], 1)[one],
        np.stack([ab, b, c], 1)[~one],
        np.stack([ab, c, ac], 1)[~one],
    ])  # fmt: skip
    matrix = vstack([eye(len(height), format='csr'), on_cut]).tocsr()
    used = np.unique(faces)
    renumber = np.zeros(matrix.shape[0], dtype=int)
    renumber[used] = np.arange(len(used))
    return matrix[used], renumber[faces], renumber[border]


def _pair_matrix(pairs: np.ndarray, weights: np.ndarray, num_points: int) -> csr_matrix:
    """(N, V) matrix that sums two points each, ascending pairs (N, 2), with weights (N, 2)."""
    return csr_matrix((weights.ravel(), pairs.ravel(), np.arange(0, pairs.size + 1, 2)), (len(pairs), num_points))


def find_loops(border: np.ndarray) -> list[np.ndarray]:
    """Closed loops of point ids from directed edges (N, 2), the longest first."""
    after = dict(border.tolist())
    loops = []
    while after:
        start, point = next(iter(after.items()))
        loop = [start]
        del after[start]
        while point != start and point in after:
            loop.append(point)
            point = after.pop(point)
        loops.append(np.array(loop))
    return sorted(loops, key=len, reverse=True)
