"""Writes the same variables by scipy.io.savemat (scipy 1.17.1, numpy 2.4.6), compressed and not. Run it in its folder."""
import numpy as np
import scipy.io

table = np.array([(1, "n01"), (2, "n02")], dtype=[("ID", object), ("WNID", object)])[:, None]
cells = np.empty(3, dtype=object)
cells[:] = [1, "b", np.zeros((0, 0))]
values = {
    "ignored": np.arange(1000.0),
    "bytes": np.arange(12, dtype=np.uint8).reshape(2, 3, 2),
    "doubles": np.array([1.0, 10.0, 300.0]),
    "negative": np.array([-5, 1 << 40]),
    "text": "héllo",
    "cells": cells,
    "table": table,
}
for name, packed in (("plain.mat", False), ("compressed.mat", True)):
    scipy.io.savemat(name, values, do_compression=packed)
