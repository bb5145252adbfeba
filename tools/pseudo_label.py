"""Let a network label the hands of a COCO file: 2D keypoints with confidences, for HaMuCo to learn from.

    python tools/pseudo_label.py data/views/annotations/train.json --images data/views --pose lite --out train_lite.json

Each annotation needs a bbox; its keypoints, if there are any, are not used. The result is the same file with
pseudo_keypoints, 21 × [x, y, score], in every annotation; see docs/multiple_views.md. Where the file has true
keypoints, the median distance of the labels from them is printed.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from handkp_plugins.apis.inference import init_model, predict
from handkp_plugins.apis.networks import DEFAULT_POSE, find_network
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.checkpoint.shipped import weights_names
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.fileio.coco_file import CocoFile
from handkp_plugins.fileio.images import read_image
from handkp_plugins.structures.boxes import xywh_to_xyxy


def main(
    annotations: str | Path,
    images: str | Path,
    out: str | Path,
    pose: Sequence[str | Path] = (DEFAULT_POSE,),
    device: str = 'auto',
) -> int:
    """Write the labels, and return their number. The arguments are the options of the command line.

    Raises:
        FileNotFoundError: An image or a file is missing.
        ValueError: The file is malformed, an image cannot be read, or a box lies outside its image.
    """
    file = CocoFile(annotations, ('id', 'file_name'), ('id', 'image_id', 'bbox'))
    boxes = xywh_to_xyxy(file.boxes())
    model = init_model(*find_network(*pose, option='--pose'), device)
    hands = defaultdict(list)
    for i, annotation in enumerate(file.annotations):
        hands[annotation['image_id']].append(i)
    distances, scores = [], []
    for image in tqdm(file.images, unit='image'):
        chosen = hands[image['id']]
        if not chosen:
            continue
        path = Path(images) / image['file_name']
        picture = read_image(path)
        try:
            found = predict(model, picture, boxes[chosen])
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from None
        for i, hand in zip(chosen, found, strict=True):
            confidence = hand['scores'].clip(0, 1)
            labels = np.column_stack([hand['keypoints'].round(2), confidence.round(4)]).astype(float).round(4)
            annotation = file.annotations[i]
            annotation['pseudo_keypoints'] = labels.tolist()
            scores.append(confidence.mean())
            if 'keypoints' in annotation:
                truth = np.array(annotation['keypoints'], float).reshape(-1, 3)
                distances.append(np.linalg.norm(labels[:, :2] - truth[:, :2], axis=1)[truth[:, 2] > 0])
    write_text(out, json.dumps(file.data))
    print(f'{out}: {len(scores)} hands, mean confidence {np.mean(scores):.2f}')
    if distances:
        print(f'median distance from the true keypoints: {np.median(np.concatenate(distances)):.1f} px')
    return len(scores)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('annotations', metavar='COCO.json')
    parser.add_argument('--images', required=True, metavar='DIR', help='folder that file_name is relative to')
    parser.add_argument('--out', required=True, metavar='FILE', help='JSON file with the labels')
    parser.add_argument('--pose', nargs='+', default=[DEFAULT_POSE], metavar='NAME|CONFIG CKPT',
                        help=f'the network: {weights_names(False)} or your own (default {DEFAULT_POSE})')  # fmt: skip
    parser.add_argument('--device', default='auto', help='auto (default), cpu or cuda:N')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
