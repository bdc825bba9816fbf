"""Writes schedules.json: learning rates by PyTorch 2.15's schedulers, stepped once an epoch (batches 1) or after every
batch."""
import json
from math import cos, pi
import torch
from torch.optim import lr_scheduler as ls
from torch.optim.swa_utils import SWALR

cases = {}


def record(name, peak, epochs, batches, make, second=None, start=None, late=False):
    """make(optimizer, steps an epoch) returns the scheduler; second takes over after epoch start. late makes it then only:
    SWALR without annealing sets its rate when it is made."""
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    scheduler = make(opt, batches)
    if second and not late:
        second = second(opt, batches)
    rates = []
    for n in range(epochs * batches):
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        if late and n == start * batches:
            second = second(opt, batches)
        (second if second and n >= start * batches else scheduler).step()
    cases.setdefault(name, []).append(dict(peak=peak, epochs=epochs, batches=batches, rates=rates))


def warm(opt, steps):
    """Warm-up as in models/RadTrainer.py:configure_optimizers of RAT_MisD."""
    rel = 1e-8 / opt.param_groups[0]["lr"]
    return ls.LambdaLR(opt, lambda n: rel + (1 - rel) * (cos(pi + pi * n / steps) + 1) / 2)


def warmed(epochs, main):
    def make(opt, b):
        if epochs == 0:
            return main(opt, b)
        schedulers = [warm(opt, epochs * b), main(opt, b)]  # in this order, as the first sets initial_lr
        return ls.SequentialLR(opt, schedulers, milestones=[epochs * b])
    return make


# The official recipe.
record("cosine, official", 0.2, 500, 1, warmed(5, lambda o, b: ls.CosineAnnealingLR(o, T_max=495)))
record("constant, official", 0.2, 500, 1, warmed(5, lambda o, b: ls.ConstantLR(o, factor=1.0, total_iters=495)))

E, W = 12, 3
for b in (1, 7):
    record("cosine", 0.1, E, b, warmed(W, lambda o, b: ls.CosineAnnealingLR(o, T_max=(E - W) * b)))
    record("cosine, no warm-up", 0.1, E, b, lambda o, b: ls.CosineAnnealingLR(o, T_max=E * b))
    record("cosine over 5", 0.1, E, b, lambda o, b: ls.CosineAnnealingLR(o, T_max=5 * b))
    record("constant", 0.1, E, b, warmed(W, lambda o, b: ls.ConstantLR(o, factor=1.0, total_iters=(E - W) * b)))
    record("linear", 0.1, E, b, warmed(W, lambda o, b: ls.LinearLR(o, 1.0, 0.0, total_iters=(E - W) * b)))
    record("linear over 5", 0.1, E, b, lambda o, b: ls.LinearLR(o, 1.0, 0.0, total_iters=5 * b))
    record("step", 0.1, E, b, warmed(W, lambda o, b: ls.StepLR(o, step_size=2 * b, gamma=0.3)))
    record("step, no warm-up", 0.1, E, b, lambda o, b: ls.StepLR(o, step_size=5 * b, gamma=0.1))
    record("milestones", 0.1, E, b, warmed(W, lambda o, b: ls.MultiStepLR(o, [(m - W) * b for m in (5, 8, 11)], gamma=0.2)))
    record("milestones, no warm-up", 0.1, E, b, lambda o, b: ls.MultiStepLR(o, [4 * b, 9 * b], gamma=0.1))
    cycle = dict(max_lr=0.5, cycle_momentum=False)
    record("1cycle", 0.5, E, b, lambda o, b: ls.OneCycleLR(o, total_steps=E * b, **cycle))
    record("1cycle, linear", 0.5, E, b, lambda o, b: ls.OneCycleLR(
        o, total_steps=E * b, pct_start=0.4, div_factor=10, final_div_factor=50, anneal_strategy="linear", **cycle))
    record("1cycle, early", 0.5, E, b, lambda o, b: ls.OneCycleLR(o, total_steps=E * b, pct_start=0.01, **cycle))
    cosine = lambda o, b: ls.CosineAnnealingLR(o, T_max=E * b)
    record("swa", 0.1, E, b, cosine, lambda o, b: SWALR(o, swa_lr=0.05, anneal_epochs=4 * b), 5)
    record("swa, linear", 0.1, E, b, cosine, lambda o, b: SWALR(o, swa_lr=0.02, anneal_epochs=3 * b, anneal_strategy="linear"), 6)
    record("swa, at once", 0.1, E, b, cosine, lambda o, b: SWALR(o, swa_lr=0.05, anneal_epochs=0), 5, late=True)
# main_fmfp.py of Impression2805/FMFP: epochs are counted from 1 there, and the second scheduler steps after those > 120.
record("fmfp", 0.1, 201, 1, lambda o, b: ls.CosineAnnealingLR(o, T_max=100), lambda o, b: SWALR(o, swa_lr=0.05), 120)

json.dump(cases, open("schedules.json", "w"))
