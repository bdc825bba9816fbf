"""Tables as Python code writes them, and what numpy reads from a file of ours: python3 columns_by_numpy.py (numpy 2.4).

Writes columns_by_numpy.npz, columns_by_savetxt.csv and, from by_ratml.npz, which a test of this folder keeps equal to
what WriteScoresNPZ writes, by_ratml.json.
"""
import json

import numpy as np

label = np.array([0, 2, 1, 1], np.int32)
logits = np.array([[2, 0, 1], [.5, 1, 3], [0, -1, 1], [1, 4, 0]], np.float32)
probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
entropy = -(probs * np.log(probs)).sum(1)
votes = np.array([7, 9, 4, 10], np.uint8)

np.savez_compressed(
    "columns_by_numpy.npz", targets=label, softmax=probs, entropy=entropy.astype(np.float16), votes=votes,
    correct=probs.argmax(1) == label, corruption=np.array(["fog", "blur", "schön", "fog"]), severity=np.array([1, 5, 2, 1]),
    site=np.array([b"a", b"bc", b"", b"a"]))

np.savetxt("columns_by_savetxt.csv", np.column_stack([label, probs.argmax(1), probs.max(1), -entropy]), delimiter=",",
           header="label,pred,confidence,negentropy")

got = np.load("by_ratml.npz")
with open("by_ratml.json", "w") as f:
    json.dump({k: {"dtype": got[k].dtype.str, "shape": list(got[k].shape), "values": [v if np.isfinite(v) else str(v) for v in got[k].ravel().tolist()]} for k in got.files}, f)
