"""Joint angles and their limits."""

import numpy as np
import pytest

from handkp_plugins.synthetic.hand.pose import ANGLE_NAMES, LIMITS, HandPose


def test_named_angles_land_where_their_name_says():
    pose = HandPose.of(index_pip=40, thumb_ip=-10)
    assert pose.as_dict()['index_pip'] == 40 and pose.angles[ANGLE_NAMES.index('thumb_ip')] == -10
    assert np.count_nonzero(pose.angles) == 2


def test_beyond_a_limit_is_an_error_that_names_the_joint():
    with pytest.raises(ValueError, match='index_pip: expected -5 to 112 degrees, got 150'):
        HandPose.of(index_pip=150)
    with pytest.raises(ValueError, match='thumb_ip: .* got nan'):
        HandPose.of(thumb_ip=float('nan'))


def test_unknown_joint_and_wrong_count():
    with pytest.raises(ValueError, match="got 'toe_mcp'"):
        HandPose.of(toe_mcp=3)
    with pytest.raises(ValueError, match=r'expected shape \(24,\), got \(3,\)'):
        HandPose(np.zeros(3))


def test_clipped_takes_each_angle_to_its_limit():
    pose = HandPose.clip(np.full(len(LIMITS), 500.0))
    assert pose.angles.tolist() == [high for _, high in LIMITS.values()]


def test_mix_is_linear_and_the_angles_cannot_be_changed():
    middle = HandPose.of(ring_mcp=20).mix(HandPose.of(ring_mcp=60), 0.25)
    assert middle.as_dict()['ring_mcp'] == pytest.approx(30)
    with pytest.raises(ValueError, match='read-only'):
        middle.angles[0] = 1
