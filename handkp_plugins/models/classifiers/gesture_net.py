"""GestureNet: recognises the sign of a hand from its keypoints."""

from mmengine.model import BaseModel
from mmpose.registry import MODELS
from torch import Tensor, nn

from handkp_plugins.structures.skeleton import NUM_KEYPOINTS


@MODELS.register_module()
class GestureNet(BaseModel):
    """Two convolutions along the keypoints and two linear layers over all of them (MSAHP, Table 3).

    The input is an image of one channel: a row for each coordinate, a column for each keypoint, one finger after the
    other. Two 1×7 convolutions, a mean over both coordinates, a hidden layer and the output layer follow. The table
    also lists ReLU and dropout after the output layer; here the dropout stands before it and there is no ReLU:
    scores may be negative.

    Letters: N batch, C classes.

    Args:
        num_classes: C; the paper has 35.
        channels: Channels of the convolutions.
        hidden: Width of the hidden layer.
        mean_of_coordinates: Whether to take the mean over both coordinates, as in the paper. It cannot tell x from y;
            without it the hidden layer sees both.
        dropout: Rate before the output layer; 0.6 combines the paper's 0.5 and 0.2.
        label_smoothing: Label smoothing of the cross-entropy.
        data_preprocessor: :class:`GesturePreprocessor` by default.
    """

    def __init__(
        self,
        num_classes: int = 35,
        channels: int = 16,
        hidden: int = 128,
        mean_of_coordinates: bool = True,
        dropout: float = 0.6,
        label_smoothing: float = 0.0,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(MODELS.build(data_preprocessor or dict(type='GesturePreprocessor')), init_cfg)
        if num_classes < 2:
            raise ValueError(f'num_classes: expected an integer from 2, got {num_classes}')
        self.num_classes, self.mean_of_coordinates = num_classes, mean_of_coordinates
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, channels, (1, 7), padding=(0, 3)),
            nn.ReLU(),
            nn.Conv2d(channels, channels, (1, 7), padding=(0, 3)),
            nn.ReLU(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(channels * NUM_KEYPOINTS * (1 if mean_of_coordinates else 2), hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, num_classes),
        )
        self.criterion = nn.CrossEntropyLoss(label_smoothing=label_smoothing)

    def forward(
        self,
        inputs: Tensor,
        labels: Tensor | None = None,
        rows: Tensor | None = None,
        sample_idx: Tensor | None = None,
        mode: str = 'tensor',
    ) -> Tensor | dict[str, Tensor] | list[dict]:
        """Normalised keypoints (N, 21, 2) → scores (N, C), the loss, or a prediction for each hand.

        Args:
            labels: (N,) indices of the classes; needed for mode 'loss', copied to predictions.
            mode: 'tensor', 'loss' or 'predict', which returns dictionaries with ``pred_scores`` (C,), probabilities,
                ``pred_label`` and ``gt_label``.
        """
        x = self.convolutions(inputs.transpose(1, 2)[:, None])  # (N, channels, 2, 21)
        scores = self.classifier((x.mean(2) if self.mean_of_coordinates else x).flatten(1))
        if mode == 'tensor':
            return scores
        if mode == 'loss':
            accuracy = (scores.argmax(1) == labels).float().mean()
            return dict(loss=self.criterion(scores, labels), accuracy=accuracy)
        shares = scores.softmax(1)
        truth = [None] * len(shares) if labels is None else labels.tolist()
        return [dict(pred_scores=s, pred_label=int(s.argmax()), gt_label=t) for s, t in zip(shares, truth, strict=True)]
