"""Recipes: the arguments that decide what a generated dataset contains."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from handkp_plugins.fileio.coco import split_8_1_1

from ..clips.action_maker import ActionMaker
from ..clips.actions import ACTIONS, OBJECTS, VERBS, action_of
from ..clips.clip import ClipMaker
from ..clips.signing import SignMaker, sign_names
from ..clips.tapping import TapMaker, tap_times
from ..hand.template import FINE_STEP
from ..multiview.cameras import MOST_CAMERAS
from ..multiview.maker import ViewMaker
from ..scenes.multi_hand import SceneMaker
from ..scenes.sample import Sample, SampleMaker

GENERATOR_VERSION = 11  # raised whenever the same seed gives other labels or images
_BATCH_SIZE = 20  # images of a folder that share a file of records


def check_range(name: str, value: float, low: float, high: float = np.inf, unit: str = '') -> None:
    """Raise ValueError unless the value is from ``low`` to ``high``."""
    if not low <= value <= high:
        allowed = f'{low:g} to {high:g}' if np.isfinite(high) else f'{low:g} or more'
        raise ValueError(f'{name}: expected {allowed}{unit}, got {value}')


@dataclass(frozen=True)
class Recipe:
    """A dataset of single images. It is split 8:1:1 by units: images here, frames, clips or people in subclasses."""

    num: int = 2000  # units
    size: int = 256  # width and height in pixels, 64 to 1024
    seed: int = 0
    backgrounds: str | None = None  # folder of photographs; None for generated backgrounds only
    layers: bool = False  # keep the hand and its alpha, without a background, in shards
    shard: int = 1000  # images in a shard, 1 to 10,000
    alone: bool = False  # no second hand, and nothing held, worn or in front
    one_shape: bool = False  # every hand has the mean hand's proportions
    rigs: tuple[str, ...] = ()  # glTF files of rigged hands; each is used as often as the procedural hand
    poses: tuple[str, ...] = ()  # files of recorded poses

    FEWEST: ClassVar[tuple[int, str]] = (10, 'images')  # units, so that each split has some
    images_per_unit: ClassVar[int] = 1
    mesh_step: ClassVar[float] = FINE_STEP  # of the procedural hand's skin, millimetres

    def __post_init__(self) -> None:
        fewest, units = self.FEWEST
        check_range('num', self.num, fewest, unit=f' {units} (split 8:1:1)')
        check_range('size', self.size, 64, 1024, ' pixels')
        check_range('seed', self.seed, 0)
        check_range('shard', self.shard, 1, 10_000, ' images')
        if self.layers and self.backgrounds:
            raise ValueError(
                f'backgrounds: expected none with layers, which have no background, got {self.backgrounds}'
            )

    @property
    def num_images(self) -> int:
        """Number of images."""
        return self.num * self.images_per_unit

    @property
    def batch_size(self) -> int:
        """Number of images that are made, and made again, together."""
        return self.shard if self.layers else _BATCH_SIZE

    @property
    def batches(self) -> list[range]:
        """Indices of the images of each batch."""
        starts = range(0, self.num_images, self.batch_size)
        return [range(start, min(start + self.batch_size, self.num_images)) for start in starts]

    @property
    def unit_splits(self) -> dict[str, list[int]]:
        """Indices of the units of each split."""
        return split_8_1_1(range(self.num), [self.seed, self.num])

    @property
    def splits(self) -> dict[str, list[int]]:
        """Indices of the images of each split."""
        n = self.images_per_unit
        return {name: [i for unit in units for i in range(unit * n, unit * n + n)]
                for name, units in self.unit_splits.items()}  # fmt: skip

    @property
    def size_args(self) -> dict[str, int]:
        """The arguments of a maker that give the images' size."""
        return {'size': self.size}

    @property
    def info(self) -> dict[str, Any]:
        """The ``info`` of the COCO files."""
        return {'version': str(GENERATOR_VERSION), 'seed': self.seed}

    @property
    def folder(self) -> str:
        """Folder of the images in the dataset's folder."""
        return 'shards' if self.layers else 'images'

    def build_maker(self, **settings: Any) -> SampleMaker:
        """Build the object that makes samples; one per process."""
        return SampleMaker(**settings)

    def make_samples(self, maker: SampleMaker, batch: range) -> Iterator[Sample]:
        """Make the samples of a batch."""
        return (maker.make(self.seed, index) for index in batch)

    def describe(self, index: int) -> str:
        """Name an image in errors."""
        return f'image {index}'

    def extra_keys(self, index: int) -> dict[str, Any]:
        """Return the further keys of an image's record."""
        return {}

    def extra_sections(self, split: str) -> dict[str, Any]:
        """Return the further sections of a split's COCO file."""
        return {}

    def files(self, batch: range) -> list[str]:
        """Return the files of a batch's images, relative to the dataset's folder."""
        return [self._shard_name(batch.start)] if self.layers else [self.file_name(i) for i in batch]

    def file_name(self, index: int) -> str:
        """Return an image's file or address, relative to the dataset's folder."""
        return f'{self._shard_name(index) if self.layers else "images"}/{index:06d}.jpg'

    def _shard_name(self, index: int) -> str:
        return f'shards/{index // self.shard:05d}.zip'


@dataclass(frozen=True)
class SceneRecipe(Recipe):
    """A dataset of images with none to four hands, without layers."""

    size: int = 480  # longer side in pixels, 128 to 1024; the other side varies from image to image
    scenes: bool = True  # tells such a set from others

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers:
            raise ValueError('layers: expected False with scenes, which have backgrounds, got True')
        check_range('size', self.size, 128, 1024, ' pixels for scenes')

    def build_maker(self, **settings: Any) -> SceneMaker:
        return SceneMaker(**settings)


@dataclass(frozen=True)
class ViewRecipe(Recipe):
    """A dataset of frames of one right hand that several cameras see at once, without layers, split by frames."""

    num: int = 500
    size: int = 224
    views: int = 4  # cameras, 1 to 8

    FEWEST: ClassVar[tuple[int, str]] = (3, 'frames')
    mesh_step: ClassVar[float] = 3.0  # two pixels at 224

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers:
            raise ValueError('layers: expected False with views, which have backgrounds, got True')
        check_range('views', self.views, 1, MOST_CAMERAS)

    @property
    def images_per_unit(self) -> int:
        return self.views

    @property
    def batch_size(self) -> int:
        return self.views * (_BATCH_SIZE // self.views)

    def build_maker(self, **settings: Any) -> ViewMaker:
        return ViewMaker(self.views, **settings)

    def make_samples(self, maker: ViewMaker, batch: range) -> Iterator[Sample]:
        for first in batch[:: self.views]:
            yield from maker.make_frame(self.seed, first // self.views)

    def describe(self, index: int) -> str:
        return 'frame {}, view {}'.format(*divmod(index, self.views))

    def extra_keys(self, index: int) -> dict[str, Any]:
        frame, view = divmod(index, self.views)
        return {'image': {'frame_id': frame, 'view_id': view}}

    def file_name(self, index: int) -> str:
        return 'images/{:06d}_{}.jpg'.format(*divmod(index, self.views))


@dataclass(frozen=True)
class ClipRecipe(Recipe):
    """A dataset of clips of one hand each, without layers, split by clips. The frames of a clip are a batch."""

    num: int = 100
    size: int = 240  # width in pixels, 64 to 1024
    height: int = 320  # in pixels, 64 to 1024
    frames: int = 60  # of each clip, 3 or more, so that there is an acceleration
    fps: float = 30.0  # 5 to 240

    FEWEST: ClassVar[tuple[int, str]] = (3, 'clips')
    folder: ClassVar[str] = 'clips'

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers:
            raise ValueError('layers: expected False with clips, which have backgrounds, got True')
        check_range('height', self.height, 64, 1024, ' pixels')
        check_range('frames', self.frames, 3)
        check_range('fps', self.fps, 5, 240, ' frames per second')

    @property
    def images_per_unit(self) -> int:
        return self.frames

    @property
    def batch_size(self) -> int:
        return self.frames

    @property
    def size_args(self) -> dict[str, int]:
        return {'size': self.size, 'height': self.height}

    @property
    def info(self) -> dict[str, Any]:
        return super().info | {'fps': self.fps}

    def build_maker(self, **settings: Any) -> ClipMaker:
        return ClipMaker(self.frames, self.fps, **settings)

    def make_samples(self, maker: ClipMaker, batch: range) -> Iterator[Sample]:
        return maker.make_clip(self.seed, batch.start // self.frames)

    def describe(self, index: int) -> str:
        return 'clip {}, frame {}'.format(*divmod(index, self.frames))

    def extra_keys(self, index: int) -> dict[str, Any]:
        clip, frame = divmod(index, self.frames)
        return {'image': {'video_id': clip, 'frame_id': frame}}

    def file_name(self, index: int) -> str:
        return 'clips/{:05d}/{:06d}.jpg'.format(*divmod(index, self.frames))


@dataclass(frozen=True)
class SignRecipe(ClipRecipe):
    """A dataset of clips that show one sign each, split by people; each person shows every sign once."""

    num: int = 30
    frames: int = 3
    fps: float = 5.0  # so low that the first, middle and last frame differ
    signs: tuple[str, ...] = ('letters',)  # names; 'letters' means the 26 of fingerspelling, 'gestures' the named ones

    FEWEST: ClassVar[tuple[int, str]] = (3, 'people')

    def __post_init__(self) -> None:
        super().__post_init__()
        sign_names(self.signs)

    @property
    def images_per_unit(self) -> int:
        return len(sign_names(self.signs)) * self.frames

    def build_maker(self, **settings: Any) -> SignMaker:
        return SignMaker(sign_names(self.signs), self.frames, self.fps, **settings)

    def extra_keys(self, index: int) -> dict[str, Any]:
        return {'image': super().extra_keys(index)['image'] | {'person': index // self.images_per_unit}}


@dataclass(frozen=True)
class TapRecipe(ClipRecipe):
    """A dataset of clips in which thumb and index finger tap."""

    num: int = 10
    size: int = 256
    height: int = 256
    frames: int = 301  # of each clip, enough for two taps
    tapping: float = 3.0  # taps per second, 0.2 to a quarter of ``fps``
    amplitude_decrement: float = 0.0  # share of the opening that is lost at the end of a clip, 0 to 0.95
    interval_jitter: float = 0.0  # deviation of the intervals between taps, as a share of their mean, 0 to 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range('tapping', self.tapping, 0.2, self.fps / 4, ' taps per second, a quarter of the frame rate')
        if self.seconds * self.tapping < 2:
            fewest = int(np.ceil(2 / self.tapping * self.fps)) + 1
            raise ValueError(f'frames: expected {fewest} or more, for two taps, got {self.frames}')
        check_range('amplitude_decrement', self.amplitude_decrement, 0, 0.95)
        check_range('interval_jitter', self.interval_jitter, 0, 0.3)

    @property
    def seconds(self) -> float:
        """Time from a clip's first frame to its last."""
        return (self.frames - 1) / self.fps

    def taps(self, clip: int) -> np.ndarray:
        """Return the times of the taps in a clip."""
        rng = np.random.default_rng([self.seed, clip, 3])
        return tap_times(self.tapping, self.interval_jitter, self.seconds, rng)

    def build_maker(self, **settings: Any) -> TapMaker:
        return TapMaker(self.taps, self.tapping, self.amplitude_decrement, self.frames, self.fps, **settings)

    def extra_sections(self, split: str) -> dict[str, Any]:
        truth = dict(frequency=self.tapping, amplitude_decrement=self.amplitude_decrement)
        clips = self.unit_splits[split]
        return {'videos': [dict(id=clip, **truth, tap_times=self.taps(clip).round(5).tolist()) for clip in clips]}


@dataclass(frozen=True)
class ActionRecipe(ClipRecipe):
    """A dataset of clips of actions from the view of the person who acts, split by people, each with every verb once.

    Not ``alone``.
    """

    num: int = 50
    size: int = 192
    height: int = 144
    frames: int = 32  # of each clip, 8 or more
    fps: float = 15.0
    hands: int = 1  # labelled: 1, the right one, or 2

    FEWEST: ClassVar[tuple[int, str]] = (3, 'people')
    mesh_step: ClassVar[float] = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range('hands', self.hands, 1, 2)
        check_range('frames', self.frames, 8)
        if self.alone:
            raise ValueError('alone: expected False with actions, which have objects, got True')

    @property
    def images_per_unit(self) -> int:
        return len(VERBS) * self.frames

    def build_maker(self, **settings: Any) -> ActionMaker:
        return ActionMaker(self.hands, self.frames, self.fps, **settings)

    def extra_keys(self, index: int) -> dict[str, Any]:
        return {'image': super().extra_keys(index)['image'] | {'person': index // self.images_per_unit}}

    def extra_sections(self, split: str) -> dict[str, Any]:
        clips = [person * len(VERBS) + verb for person in self.unit_splits[split] for verb in range(len(VERBS))]
        videos = [
            dict(id=clip, action=action_of(clip), object=action_of(clip) // len(VERBS), person=clip // len(VERBS))
            for clip in clips
        ]
        return {'actions': list(ACTIONS), 'objects': list(OBJECTS), 'videos': videos}
