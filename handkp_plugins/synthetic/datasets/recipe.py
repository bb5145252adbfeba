"""What decides the contents of a generated set."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ..clips.clip import ClipMaker
from ..clips.signing import SignMaker, sign_names
from ..scenes.sample import Sample, SampleMaker
from .coco import frame_name, image_name, member_name, shard_name, split_of

GENERATOR_VERSION = 10
"""Raised whenever the same seed gives other labels or pictures."""
_BATCH = 20  # images of a folder that share a file of records


@dataclass(frozen=True)
class Recipe:
    """What decides the contents of a set.

    Args:
        num: images, at least 10, so that each split has some.
        size: width and height in pixels, 64 to 1024.
        seed: not negative.
        backgrounds: folder of photographs, None for generated backgrounds only.
        layers: keep the hand and its alpha, without a background, in shards.
        shard: images of a shard, 1 to 10,000.
        alone: no second hand, and nothing held, worn or in front.
        one_shape: every hand has the mean hand's proportions.
        rigs: glTF files of rigged hands that are used beside the procedural one, each as often.
        poses: files of recorded poses.
    """

    num: int = 2000
    size: int = 256
    seed: int = 0
    backgrounds: str | None = None
    layers: bool = False
    shard: int = 1000
    alone: bool = False
    one_shape: bool = False
    rigs: tuple[str, ...] = ()
    poses: tuple[str, ...] = ()

    LEAST: ClassVar[tuple[int, str]] = (10, 'images')

    def __post_init__(self) -> None:
        if self.num < self.LEAST[0]:
            least, of_what = self.LEAST
            raise ValueError(f'num: expected {least} or more {of_what} (split 8:1:1), got {self.num}')
        if not 64 <= self.size <= 1024:
            raise ValueError(f'size: expected 64 to 1024 pixels, got {self.size}')
        if self.seed < 0:
            raise ValueError(f'seed: expected 0 or more, got {self.seed}')
        if not 1 <= self.shard <= 10_000:
            raise ValueError(f'shard: expected 1 to 10000 images, got {self.shard}')
        if self.layers and self.backgrounds:
            raise ValueError(
                f'backgrounds: expected none with layers, which have no background, got {self.backgrounds}'
            )

    @property
    def images(self) -> int:
        """How many images the set has."""
        return self.num

    @property
    def batch(self) -> int:
        """How many images are made, and made again, together."""
        return self.shard if self.layers else _BATCH

    @property
    def batches(self) -> list[range]:
        """Indices of the images of each batch."""
        return [range(start, min(start + self.batch, self.images)) for start in range(0, self.images, self.batch)]

    @property
    def splits(self) -> dict[str, list[int]]:
        """Indices of the images of each split."""
        return split_of(self.num, self.seed)

    @property
    def picture(self) -> dict[str, Any]:
        """What a maker of samples and a COCO file must know of the pictures' size."""
        return {'size': self.size}

    @property
    def info(self) -> dict[str, Any]:
        """What is said of the set in its COCO files."""
        return {'version': str(GENERATOR_VERSION), 'seed': self.seed}

    @property
    def folder(self) -> str:
        """Folder of the images within the set's."""
        return 'shards' if self.layers else 'images'

    def maker(self, **settings: Any) -> SampleMaker:
        """What draws the samples; keep one per process."""
        return SampleMaker(**settings)

    def samples(self, maker: SampleMaker, batch: range) -> Iterator[Sample]:
        """The samples of a batch."""
        return (maker.make(self.seed, index) for index in batch)

    def name_of(self, index: int) -> str:
        """What an image is called in errors."""
        return f'image {index}'

    def more_of(self, index: int) -> dict[str, Any]:
        """What an image's record holds beside camera and annotation."""
        return {}

    def more_of_split(self, split: str) -> dict[str, Any]:
        """Sections of a split's COCO file beside images and annotations."""
        return {}

    def files(self, batch: range) -> list[str]:
        """The files that hold a batch's images, relative to the set's folder."""
        return [shard_name(batch.start // self.shard)] if self.layers else [self.file_name(i) for i in batch]

    def file_name(self, index: int) -> str:
        """Where an image lies, relative to the set's folder."""
        return f'{shard_name(index // self.shard)}/{member_name(index, ".jpg")}' if self.layers else image_name(index)


@dataclass(frozen=True)
class ClipRecipe(Recipe):
    """What decides the contents of a set of clips, which are split as wholes; a clip's frames are a batch.

    Args:
        num: clips, at least 3, so that each split has one.
        size: width in pixels, 64 to 1024.
        height: in pixels, 64 to 1024.
        frames: of each clip, 3 or more, so that there is an acceleration.
        fps: frames a second, 5 to 240.
        layers: not allowed.
    """

    num: int = 100
    size: int = 240
    height: int = 320
    frames: int = 60
    fps: float = 30.0

    LEAST: ClassVar[tuple[int, str]] = (3, 'clips')

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers:
            raise ValueError('layers: expected False with clips, which have backgrounds, got True')
        if not 64 <= self.height <= 1024:
            raise ValueError(f'height: expected 64 to 1024 pixels, got {self.height}')
        if self.frames < 3:
            raise ValueError(f'frames: expected 3 or more, got {self.frames}')
        if not 5 <= self.fps <= 240:
            raise ValueError(f'fps: expected 5 to 240 frames a second, got {self.fps}')

    @property
    def images(self) -> int:
        """How many frames the set has."""
        return self.num * self.frames

    @property
    def batch(self) -> int:
        """How many images are made, and made again, together."""
        return self.frames

    @property
    def splits(self) -> dict[str, list[int]]:
        """Indices of the frames of each split."""
        clips, frames = split_of(self.num, self.seed), self.batches
        return {name: [i for clip in ids for i in frames[clip]] for name, ids in clips.items()}

    @property
    def picture(self) -> dict[str, Any]:
        """What a maker of samples and a COCO file must know of the pictures' size."""
        return {'size': self.size, 'height': self.height}

    @property
    def info(self) -> dict[str, Any]:
        """What is said of the set in its COCO files."""
        return super().info | {'fps': self.fps}

    @property
    def folder(self) -> str:
        """Folder of the images within the set's."""
        return 'clips'

    def maker(self, **settings: Any) -> ClipMaker:
        """What draws the clips; keep one per process."""
        return ClipMaker(self.frames, self.fps, **settings)

    def samples(self, maker: ClipMaker, batch: range) -> Iterator[Sample]:
        """The frames of a clip."""
        return maker.clip(self.seed, batch.start // self.frames)

    def name_of(self, index: int) -> str:
        """What a frame is called in errors."""
        return 'clip {}, frame {}'.format(*divmod(index, self.frames))

    def more_of(self, index: int) -> dict[str, Any]:
        """What a frame's record holds beside camera and annotation."""
        clip, frame = divmod(index, self.frames)
        return {'image': {'video_id': clip, 'frame_id': frame}}

    def file_name(self, index: int) -> str:
        """Where a frame lies, relative to the set's folder."""
        return frame_name(*divmod(index, self.frames))


@dataclass(frozen=True)
class SignRecipe(ClipRecipe):
    """What decides the contents of a set of clips that show one sign each; it is split by people.

    Args:
        num: people, at least 3, so that each split has one; each shows every sign once.
        frames: of each clip.
        fps: frames a second; by default so few that the first, middle and last frame differ.
        signs: their names; 'letters' stands for the 26 of fingerspelling, 'gestures' for the named gestures.
    """

    num: int = 30
    frames: int = 3
    fps: float = 5.0
    signs: tuple[str, ...] = ('letters',)

    LEAST: ClassVar[tuple[int, str]] = (3, 'people')

    def __post_init__(self) -> None:
        super().__post_init__()
        sign_names(self.signs)

    @property
    def _of_person(self) -> int:
        """How many frames show a person."""
        return len(sign_names(self.signs)) * self.frames

    @property
    def images(self) -> int:
        """How many frames the set has."""
        return self.num * self._of_person

    @property
    def splits(self) -> dict[str, list[int]]:
        """Indices of the frames of each split."""
        own = self._of_person
        people = split_of(self.num, self.seed)
        return {name: [i for p in ids for i in range(p * own, (p + 1) * own)] for name, ids in people.items()}

    def maker(self, **settings: Any) -> SignMaker:
        """What draws the clips; keep one per process."""
        return SignMaker(sign_names(self.signs), self.frames, self.fps, **settings)

    def more_of(self, index: int) -> dict[str, Any]:
        """What a frame's record holds beside camera and annotation."""
        return {'image': super().more_of(index)['image'] | {'person': index // self._of_person}}
