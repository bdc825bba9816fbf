"""Writes resize.json, what Pillow and torchvision make of images that package dataset resizes too.

pip install pillow torchvision; python resize.py > resize.json. Written with Pillow 13.0.0 and torchvision 0.29.2.
"""

import base64
import hashlib
import json
import sys

import numpy as np
from PIL import Image
from torchvision.transforms import CenterCrop, InterpolationMode, Resize

METHODS = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}


def image(height, width, channels):
    """Noise, byte i the top of the 32-bit number 2654435761 i + (i^2 mod 65521), over which lie blocks of 0 and 255."""
    i = np.arange(height * width * channels, dtype=np.uint64)
    v = ((2654435761 * i + i * i % 65521) % 2**32 >> 24).reshape(height, width, channels)
    y, x = np.arange(height)[:, None, None] // 5, np.arange(width)[None, :, None] // 7
    v = np.where((x + 2 * y) % 4 == 0, 0, np.where((x + 2 * y) % 4 == 1, 255, v)).astype(np.uint8)
    return Image.fromarray(v[:, :, 0] if channels == 1 else v)


def result(img):
    v = np.asarray(img)
    out = {"Size": v.shape[:2], "SHA256": hashlib.sha256(v.tobytes()).hexdigest()}
    if v.size <= 600:
        out["Pixels"] = base64.b64encode(v.tobytes()).decode()
    return out


def resized():
    sizes = [((9, 13), (4, 6)), ((9, 13), (13, 9)), ((7, 5), (7, 11)), ((7, 5), (14, 5)), ((1, 1), (3, 2)), ((12, 16), (1, 1)),
             ((31, 47), (5, 8)), ((6, 6), (6, 6)), ((5, 8), (12, 16)), ((375, 500), (256, 341)), ((481, 321), (348, 232)), ((60, 40), (236, 157))]
    for (h, w), (th, tw) in sizes:
        for channels in (1, 3):
            for name, method in METHODS.items():
                img = image(h, w, channels).resize((tw, th), getattr(Image.Resampling, name.upper()))
                yield {"From": [h, w, channels], "Interpolation": name, **result(img)}


def preprocessed():
    for (h, w), resize, crop in [((375, 500), 256, 224), ((500, 333), 232, 224), ((333, 500), 236, 224), ((481, 321), 256, 0), ((50, 75), 256, 224),
                                 ((224, 224), 232, 224), ((300, 227), 0, 224), ((201, 300), 0, 224), ((20, 31), 0, 32), ((20, 41), 8, 9), ((17, 12), 7, 12),
                                 ((64, 64), 0, 0), ((1, 9), 3, 5), ((257, 256), 256, 224), ((256, 257), 256, 224)]:
        for name, method in METHODS.items():
            img = image(h, w, 3)
            if resize:
                img = Resize(resize, method)(img)
            if crop:
                img = CenterCrop(crop)(img)
            yield {"From": [h, w, 3], "Resize": resize, "Crop": crop, "Interpolation": name, **result(img)}


json.dump({"Resized": list(resized()), "Preprocessed": list(preprocessed())}, sys.stdout, indent=0)
