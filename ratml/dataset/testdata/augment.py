"""Writes augment.json, what torchvision makes of the crops and erasures that package dataset has too.

pip install torch torchvision; python augment.py > augment.json. Written with torchvision 0.29.2.
"""

import json
import sys

import torch
from torchvision.transforms import InterpolationMode, RandomErasing, RandomResizedCrop
from torchvision.transforms import functional as F

HEIGHT, WIDTH, CHANNELS = 12, 10, 3
DRAWS = 200_000


def image():
    """Value i, in the order height, width, channel, is 7919 i modulo 256, over 255."""
    i = torch.arange(HEIGHT * WIDTH * CHANNELS)
    return (7919 * i % 256 / 255).reshape(HEIGHT, WIDTH, CHANNELS).permute(2, 0, 1)


def values(x):
    return [float(f"{v:.9g}") for v in x.permute(1, 2, 0).flatten().tolist()]


def crops():
    for top, left, height, width in [(0, 0, 12, 10), (2, 1, 7, 5), (5, 0, 7, 10), (0, 3, 12, 1), (4, 4, 1, 3), (11, 9, 1, 1)]:
        box = (top, left, height, width)
        y, smooth = (F.resized_crop(image(), *box, [HEIGHT, WIDTH], InterpolationMode.BILINEAR, antialias) for antialias in (False, True))
        assert torch.allclose(y, smooth, rtol=0, atol=1e-6)
        yield {"Box": box, "Image": values(y)}


def counts(boxes, size):
    """How often each height, width, top and left occurs."""
    return {name: torch.bincount(torch.tensor(v), minlength=size + 1).tolist() for name, v in zip(["Top", "Left", "Height", "Width"], zip(*boxes))}


def draws():
    for height, width, scale, ratio in [(32, 32, (0.08, 1), (3 / 4, 4 / 3)), (28, 20, (0.3, 0.9), (0.5, 3)), (40, 8, (0.8, 1), (3 / 4, 4 / 3))]:
        x = torch.zeros(1, height, width)
        boxes = [RandomResizedCrop.get_params(x, list(scale), list(ratio)) for _ in range(DRAWS)]
        yield {"Kind": "crop", "Size": [height, width], "Scale": scale, "Ratio": ratio, "Counts": counts(boxes, max(height, width))}
    for height, width, scale, ratio in [(32, 32, (0.02, 0.33), (0.3, 3.3)), (20, 28, (0.1, 0.9), (0.2, 2))]:
        x = torch.zeros(1, height, width)
        boxes = []
        for _ in range(DRAWS):
            top, left, h, w, _ = RandomErasing.get_params(x, scale, ratio, [0.0])
            boxes.append((top, left, h, w))
        yield {"Kind": "erasing", "Size": [height, width], "Scale": scale, "Ratio": ratio, "Counts": counts(boxes, max(height, width))}


def reflected():
    """The image padded by reflection and moved; Move is down, right."""
    padded = F.pad(image(), 2, padding_mode="reflect")
    for top, left in [(0, 0), (0, 3), (1, 4), (4, 1), (2, 2)]:
        yield {"Move": [2 - top, 2 - left], "Image": values(F.crop(padded, top, left, HEIGHT, WIDTH))}


torch.manual_seed(1)
json.dump({"Crops": list(crops()), "Draws": list(draws()), "Reflected": list(reflected())}, sys.stdout, separators=(",", ":"))
