"""Writes by_numpy.npz, a file of scores as Python code writes it: python3 npz_by_numpy.py (numpy 2.4)."""
import numpy as np

np.savez_compressed(
    "by_numpy.npz",
    label=np.array([0, 1, 2], np.uint8), pred=np.array([0, 2, 2], np.int32), correct=np.array([1, 0, 1], np.uint8),
    logits=np.array([[5, 1, 2], [.5, .25, 9], [1, 2, 3]], np.float64), MSR=np.array([.75, .5, 1], np.float32),
    RR_fgsm=np.array([.1, .2, .3]), RR_fgsm_lower=np.array([0, .1, .2]),
    RR_fgsm_unflipped=np.array([False, False, True]), RR_fgsm_evaluations=np.array([7, 8, 9], np.int16))
