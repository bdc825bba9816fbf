"""Weights and images that are a function of names and shapes, the same here and in generated_test.go.

Element i of the tensor called name is made of u, which is uniform in [-1,1): FNV-1a in 32 bits of the name, xor the
finaliser of MurmurHash3 of i, finalised again, its upper 24 bits over 2^23, minus 1.
"""

import numpy as np


def _finalise(h):
    h = (h ^ h >> 16) * 0x85EBCA6B % 2**32
    h = (h ^ h >> 13) * 0xC2B2AE35 % 2**32
    return h ^ h >> 16


def uniform(name, count):
    h = 2166136261
    for b in name.encode():
        h = (h ^ b) * 16777619 % 2**32
    h = _finalise(_finalise(np.arange(count, dtype=np.uint64)) ^ np.uint64(h))
    return (h >> 8).astype(np.float64) / 2**23 - 1


def tensor(name, shape):
    """The tensor of a network; the layers keep the scale of what passes through them."""
    u = uniform(name, int(np.prod(shape)))
    last = name.rsplit(".", 1)[-1]
    if last == "running_var" or (last == "weight" and len(shape) == 1):
        u = 1 + 0.5 * u
    elif len(shape) == 1 or last in ("layer_scale", "relative_position_bias_table", "class_token", "pos_embedding"):
        u = 0.25 * u
    else:
        u = u * np.sqrt(6 / np.prod(shape[1:]))
    return u.astype(np.float32).reshape(shape)


def images(batch, height, width, channels=3):
    """Images [batch, height, width, channels] in [0,1)."""
    v = (uniform("images", batch * height * width * channels) + 1) / 2
    return v.astype(np.float32).reshape(batch, height, width, channels)
