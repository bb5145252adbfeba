import numpy as np
import pytest
from helpers.moving_hands import IMAGE, SHAPE, Hand, World

from handkp_plugins.apps.demo.tracking import HandTracker, link_boxes


def tracker(world: World, every: int = 10) -> HandTracker:
    return HandTracker(world.detect, world.estimate, every)


def ids(follower: HandTracker) -> list[int]:
    return [track.id for track in follower.step(IMAGE)]


def test_the_detector_runs_every_n_frames_and_hands_keep_their_ids():
    world = World([Hand([60, 80]), Hand([220, 120])])
    follower = tracker(world, every=5)
    for i in range(21):
        for hand in world.hands:
            hand.place = [hand.place[0] + 3, hand.place[1] + 2]
        tracks = follower.step(IMAGE)
        assert [t.id for t in tracks] == [1, 2]
        for track, hand in zip(tracks, world.hands, strict=True):
            np.testing.assert_array_equal(track.result['keypoints'], hand.keypoints)
            assert track.det_score == pytest.approx(0.8)
        assert world.detected == 1 + i // 5


def test_every_frame():
    world = World([Hand([60, 80])])
    follower = tracker(world, every=1)
    assert [ids(follower) for _ in range(4)] == [[1]] * 4 and world.detected == 4


def test_without_hands_the_detector_runs_in_each_frame():
    world = World()
    follower = tracker(world)
    assert [ids(follower) for _ in range(3)] == [[]] * 3 and world.detected == 3
    world.hands = [Hand([100, 100])]
    assert ids(follower) == [1] and world.detected == 4


def test_a_hand_that_jumps_is_found_again_in_the_same_frame():
    world = World([Hand([60, 80]), Hand([220, 160])])
    follower = tracker(world)
    assert ids(follower) == [1, 2]
    world.hands[0].place = [150, 60]
    assert ids(follower) == [2, 3] and world.detected == 2  # too far to be the same
    world.hands[0].place = [175, 60]
    assert ids(follower) == [2, 3] and world.detected == 3  # the first is still looked for


def test_a_hand_that_comes_back_soon_keeps_its_id():
    world = World([Hand([60, 80])])
    follower = tracker(world, every=4)
    assert ids(follower) == [1]
    hands, world.hands = world.hands, []
    assert [ids(follower) for _ in range(2)] == [[]] * 2
    world.hands = hands
    assert ids(follower) == [1]
    world.hands = []
    assert [ids(follower) for _ in range(5)] == [[]] * 5
    world.hands = hands
    assert ids(follower) == [2]


@pytest.mark.parametrize('confirmed', [True, False])
def test_a_drop_of_the_score_is_a_loss_unless_the_detector_sees_the_hand(confirmed: bool):
    world = World([Hand([60, 80])])
    follower = tracker(world)
    assert [ids(follower) for _ in range(3)] == [[1]] * 3 and world.detected == 1
    world.hands[0].score = 0.8
    assert ids(follower) == [1] and world.detected == 1  # 11 % less
    world.hands[0].score, world.blind = 0.7, not confirmed
    assert ids(follower) == ([1] if confirmed else []) and world.detected == 2


def test_a_new_hand_is_found_when_the_detector_is_due():
    world = World([Hand([60, 80])])
    follower = tracker(world, every=3)
    ids(follower)
    world.hands.append(Hand([220, 120]))
    assert [ids(follower) for _ in range(3)] == [[1], [1], [1, 2]]


def test_what_the_detector_misses_is_followed_for_a_while():
    world = World([Hand([60, 80])])
    follower = tracker(world, every=2)
    ids(follower)
    world.blind = True
    assert [ids(follower) for _ in range(6)] == [[1]] * 6
    assert ids(follower) == []  # it has not been seen in three turns


@pytest.mark.parametrize('size', [20.0, 200.0])
def test_a_hand_that_changes_its_size_at_once_is_lost(size: float):
    world = World([Hand([120, 120])])
    follower = tracker(world)
    ids(follower)
    world.hands[0].size, world.blind = size, True
    assert ids(follower) == [] and world.detected == 2


def test_boxes_without_a_hand_are_refused_and_counted():
    world = World([Hand([60, 80]), Hand([220, 120], score=0.2)])
    follower = tracker(world, every=2)
    assert [ids(follower) for _ in range(3)] == [[1]] * 3
    assert follower.refused == 2 and world.detected == 2
    assert follower.step(IMAGE)[0].result['scores'].mean() > 0.3


def test_two_tracks_on_one_hand_become_one():
    world = World([Hand([100, 100]), Hand([150, 100])])
    follower = tracker(world, every=100)
    assert ids(follower) == [1, 2]
    del world.hands[1]  # its box reaches over the middle of the other
    world.hands[0].place = [125, 100]
    assert ids(follower) == [1]


def test_one_keypoint_astray_does_not_widen_the_box():
    world = World([Hand([100, 100])])
    follower = tracker(world)
    estimate = follower.estimate

    def with_one_astray(image: np.ndarray, boxes: np.ndarray) -> list[dict]:
        (result,) = estimate(image, boxes)
        keypoints, scores = result['keypoints'].copy(), result['scores'].copy()
        keypoints[8], scores[8] = (300, 200), 0.1
        return [dict(result, keypoints=keypoints, scores=scores)]

    follower.estimate = with_one_astray
    for _ in range(3):
        (track,) = follower.step(IMAGE)
    width, height = track.box[2:] - track.box[:2]
    assert width < 75 and height < 75


def test_sides_are_kept_until_the_detector_tells_another():
    world = World([Hand([60, 80], side='left')])
    follower = tracker(world, every=2)
    sides = [follower.step(IMAGE)[0].side for _ in range(2)]
    world.hands[0].side = None
    sides += [follower.step(IMAGE)[0].side for _ in range(2)]
    world.hands[0].side = 'right'
    sides += [follower.step(IMAGE)[0].side for _ in range(2)]
    assert sides == ['left'] * 4 + ['right'] * 2


def test_a_hand_leaving_the_picture_is_lost_and_no_error():
    world = World([Hand([40, 100])])
    follower = tracker(world)
    seen = []
    for i in range(8):
        world.hands[0].place = [40 - 15 * i, 100]
        world.blind = i > 0
        seen.append(len(follower.step(IMAGE)))
    assert seen[:4] == [1] * 4 and seen[-1] == 0


def test_boxes_are_linked_by_the_largest_sum_of_overlaps():
    a = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [50, 50, 60, 60]])
    b = np.array([[5, 0, 15, 10], [-2, 0, 8, 10], [90, 90, 99, 99]])
    assert link_boxes(a, b) == [(0, 1), (1, 0)]
    assert link_boxes(a[:0], b) == [] and link_boxes(a, b[:0]) == []
    assert link_boxes(a[:1], b[:1], iou=0.4) == []  # they share a third


def test_bad_numbers():
    with pytest.raises(ValueError, match='every: expected an integer from 1 on, got 0'):
        HandTracker(lambda image: None, lambda image, boxes: [], every=0)
    assert SHAPE.shape == (21, 2)
