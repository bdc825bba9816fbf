"""Writes clip.json: gradients before and after torch.nn.utils.clip_grad_norm_ (PyTorch 2.15), and the norm it returns.
What is not finite is a string, for JSON."""
import json
import numpy as np
import torch

rng = np.random.default_rng(3)
random = [rng.normal(size=n).astype(np.float32) for n in (7, 1, 12)]
cases = []
for gradients, max_norm in [
    (random, 100), (random, 1), (random, 1e-3), ([0 * g for g in random], 1),
    ([np.float32([3, 4])], 5),  # the norm is the largest allowed
    ([np.float32([3e-7, 0]), np.float32([4e-7])], 5e-7),  # where 1e-6 matters
    ([np.float32([1e20, 1])], 1), ([np.float32([np.inf, 1]), np.float32([2])], 1), ([np.float32([np.nan, 1])], 1),
]:
    params = [torch.zeros(len(g), requires_grad=True) for g in gradients]
    for p, g in zip(params, gradients):
        p.grad = torch.tensor(g)
    norm = torch.nn.utils.clip_grad_norm_(params, max_norm)
    text = lambda v: [str(x) for x in np.asarray(v).flatten()]
    cases.append(dict(max=max_norm, gradients=[text(g) for g in gradients], norm=text(norm)[0], clipped=[text(p.grad) for p in params]))
json.dump(cases, open("clip.json", "w"), indent=1)
