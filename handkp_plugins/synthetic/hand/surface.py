"""Changes to a triangle mesh, each as a sparse matrix from old points to new ones, so that whatever is known of the
points (places, weights, colours) goes along: ``new = matrix @ old``."""

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags, eye, vstack


def merged(points: np.ndarray, faces: np.ndarray, within: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join points (V, 3) that lie within a distance on a grid of it, as those that a texture's seam doubles.

    Returns:
        The id (V,) of each point's place, one point (U,) of each place, and which faces (F,) are left with an area.
    """
    _, first, ids = np.unique(np.rint(points / within).astype(np.int64), axis=0, return_index=True, return_inverse=True)
    ids = ids.reshape(-1)
    a, b, c = ids[faces].T
    return ids, first, (a != b) & (b != c) & (c != a)


def neighbour_mean(faces: np.ndarray, num_points: int) -> csr_matrix:
    """(V, V) matrix that averages over the neighbours of each point, itself not among them."""
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    adjacency = coo_matrix((np.ones(len(edges)), edges.T), shape=(num_points, num_points)).tocsr()
    adjacency = ((adjacency + adjacency.T) > 0).astype(float)
    return diags(1 / np.maximum(np.asarray(adjacency.sum(1)).ravel(), 1)) @ adjacency


def edges_of(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges (E, 2) without direction, each face's (F, 3) edges 01, 12 and 20, and how many faces (E,) have each."""
    sides = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, ids, count = np.unique(sides, axis=0, return_inverse=True, return_counts=True)
    return edges, ids.reshape(-1, 3), count


def subdivided(faces: np.ndarray, num_points: int) -> tuple[csr_matrix, np.ndarray]:
    """One step of Loop's subdivision: the matrix (V + E, V), and four triangles for each one, in the order of faces.

    Source: Loop, *Smooth Subdivision Surfaces Based on Triangles*, 1987, with Warren's weights. Borders stay lines.
    """
    edges, of_face, count = edges_of(faces)
    inner = count == 2
    rows, columns, values = [], [], []

    def add(row: np.ndarray, column: np.ndarray, value: np.ndarray | float) -> None:
        rows.append(row)
        columns.append(column)
        values.append(np.broadcast_to(value, row.shape))

    # a point on each edge: from the edge's ends and, inside the surface, the two corners across
    edge_ids = np.arange(len(edges))
    for i in range(2):
        add(num_points + edge_ids, edges[:, i], np.where(inner, 3 / 8, 1 / 2))
    across = of_face[:, [1, 2, 0]]  # the edge across from each corner
    add(num_points + across.ravel(), faces.ravel(), np.where(inner, 1 / 8, 0.0)[across.ravel()])

    # old points move towards their neighbours; on a border, towards those along it only
    border_edges = edges[~inner]
    border_count = np.bincount(border_edges.ravel(), minlength=num_points)
    valence = np.bincount(edges.ravel(), minlength=num_points)
    beta = np.where(valence == 3, 3 / 16, 3 / (8 * np.maximum(valence, 1)))
    beta = np.where(border_count == 0, beta, 0.0)
    border_beta = np.where(border_count == 2, 1 / 8, 0.0)
    for i in range(2):
        add(edges[:, i], edges[:, 1 - i], beta[edges[:, i]])
        add(border_edges[:, i], border_edges[:, 1 - i], border_beta[border_edges[:, i]])
    add(np.arange(num_points), np.arange(num_points), 1 - valence * beta - 2 * border_beta)

    matrix = coo_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
        (num_points + len(edges), num_points),
    ).tocsr()
    return matrix, quartered(faces, num_points + of_face)


def quartered(corners: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Four triangles (4F, 3, ...) for each one, from whatever its corners and its edges' middles (F, 3, ...) hold."""
    a, b, c = (corners[:, i] for i in range(3))
    ab, bc, ca = (middles[:, i] for i in range(3))
    four = [np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    return np.stack(four, axis=1).reshape(-1, *corners.shape[1:])


def cut(faces: np.ndarray, height: np.ndarray) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
    """Keep what has a positive height (V,); triangles that cross zero are cut along it.

    Returns:
        The matrix to the new points, the new faces, and ids of the points on the cut as (N, 2) directed border edges.
    """
    kept = height > 0
    num_kept = kept[faces].sum(1)
    # turn each crossing triangle so that the corner that stands alone comes first
    crossing = faces[(num_kept == 1) | (num_kept == 2)]
    alone = kept[crossing] == (kept[crossing].sum(1) == 1)[:, None]
    first = alone.argmax(1)
    a, b, c = (crossing[np.arange(len(crossing)), (first + i) % 3] for i in range(3))
    pairs = np.sort(np.stack([a, b, a, c], 1).reshape(-1, 2), axis=1)
    pairs, of_pair = np.unique(pairs, axis=0, return_inverse=True)
    share = height[pairs[:, 0]] / (height[pairs[:, 0]] - height[pairs[:, 1]])
    n = np.arange(len(pairs))
    points = coo_matrix(
        (np.concatenate([1 - share, share]), (np.concatenate([n, n]), np.concatenate([pairs[:, 0], pairs[:, 1]]))),
        (len(pairs), len(height)),
    )
    ab, ac = (len(height) + of_pair.reshape(-1, 2)).T
    one = kept[a]
    border = np.where(one[:, None], np.stack([ab, ac], 1), np.stack([ac, ab], 1))
    new = [
        faces[num_kept == 3],
        np.stack([a, ab, ac], 1)[one],
        np.stack([ab, b, c], 1)[~one],
        np.stack([ab, c, ac], 1)[~one],
    ]
    faces = np.concatenate(new)
    matrix = vstack([eye(len(height), format='csr'), points.tocsr()]).tocsr()
    used = np.unique(faces)
    renumber = np.zeros(matrix.shape[0], dtype=int)
    renumber[used] = np.arange(len(used))
    return matrix[used], renumber[faces], renumber[border]


def loops_of(border: np.ndarray) -> list[np.ndarray]:
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
