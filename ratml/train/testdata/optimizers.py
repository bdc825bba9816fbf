"""Writes optimizers.json: float32 trajectories of torch.optim.SGD and torch.optim.AdamW (PyTorch 2.15) on a small
problem, two layers of weights and biases fitted to targets by least squares, with a learning rate that changes."""
import json
import numpy as np
import torch

STEPS = 15
rng = np.random.default_rng(1)
x, y = rng.normal(size=(STEPS, 4, 3)).astype(np.float32), rng.normal(size=(STEPS, 4, 2)).astype(np.float32)
initial = [rng.normal(size=s).astype(np.float32) for s in [(3, 5), (5,), (5, 2), (2,)]]
rates = [0.05 * (1 + np.cos(np.pi * n / STEPS)) for n in range(STEPS)]


def flat(t):
    return [float(str(v)) for v in t.detach().numpy().flatten()]  # no more digits than float32 has


def run(kind, decays, scale=1.0, **options):
    params = [torch.tensor(p, requires_grad=True) for p in initial]
    groups = [dict(params=[p], weight_decay=d) for p, d in zip(params, decays)]
    opt = getattr(torch.optim, kind)(groups, lr=1, foreach=False, **options)
    steps = []
    for n in range(STEPS):
        for g in opt.param_groups:
            g["lr"] = scale * rates[n]
        w1, b1, w2, b2 = params
        loss = ((torch.tanh(torch.tensor(x[n]) @ w1 + b1) @ w2 + b2 - torch.tensor(y[n])) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        gradients = [flat(p.grad) for p in params]
        opt.step()
        steps.append(dict(lr=scale * rates[n], gradients=gradients, params=[flat(p) for p in params]))
    slots = {"SGD": ["momentum_buffer"], "AdamW": ["exp_avg", "exp_avg_sq"]}[kind]
    if options.get("momentum") == 0:
        slots = []
    return dict(optimizer=kind, decays=decays, options=options, steps=steps,
                slots=[[flat(opt.state[p][s]) for s in slots] for p in params])


weights_only, all_, none = [0.1, 0, 0.1, 0], [0.01] * 4, [0] * 4
cases = {
    "sgd": run("SGD", all_, momentum=0.9),
    "sgd, weights only": run("SGD", weights_only, momentum=0.5),
    "sgd, nesterov": run("SGD", weights_only, momentum=0.9, nesterov=True),
    "sgd, no momentum": run("SGD", weights_only, momentum=0),
    "adamw": run("AdamW", all_, scale=0.1),
    "adamw, weights only": run("AdamW", weights_only, scale=0.3),
    "adamw, no decay": run("AdamW", none, scale=0.1, betas=(0.8, 0.95), eps=1e-3),
    "adamw, no first mean": run("AdamW", none, scale=0.1, betas=(0.0, 0.99)),
}
json.dump(dict(initial=[p.flatten().tolist() for p in initial], cases=cases), open("optimizers.json", "w"))
