"""Writes baselines.json: short trainings of a small network in float64 by the official code of CRL, FMFP, OpenMix, RegMixup
and LogitNorm, and FMFP's learning rates (PyTorch 2.15).

    python baselines.py FOLDER

FOLDER holds checkouts of daintlab/confidence-aware-learning (f6aaca0), Impression2805/FMFP (97f673c),
Impression2805/OpenMix (f9906e0), FrancescoPinto/RegMixup (fd78465) and hongxin001/logitnorm_ood (0a60eef)."""
import collections.abc
import contextlib
import io
import json
import os
import sys
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

folder = os.path.abspath(sys.argv[1])
collections.Iterable = collections.abc.Iterable  # as before Python 3.10
torch.Tensor.cuda = lambda self, *_, **__: self
torch.set_default_dtype(torch.float64)

IMAGES, BATCH, EPOCHS, LR, MOMENTUM, DECAY = 12, 4, 4, 0.2, 0.9, 0.01
rng = np.random.default_rng(1)
images, outliers = (np.round(rng.random((IMAGES, 1, 4, 4)), 3) for _ in range(2))
labels = rng.integers(0, 10, IMAGES)


@contextlib.contextmanager
def repository(name):
    """Imports from one of the checkouts, whose modules have the same names."""
    before = set(sys.modules)
    sys.path.insert(0, os.path.join(folder, name))
    yield
    sys.path.pop(0)
    for module in set(sys.modules) - before:
        if str(getattr(sys.modules[module], "__file__", "")).startswith(folder) or "." not in module:
            del sys.modules[module]


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, classes)
        rng = np.random.default_rng(2)
        with torch.no_grad():
            for p in self.parameters():
                p.copy_(torch.tensor(np.round(rng.normal(size=p.shape), 3)))

    def forward(self, x):
        return self.fc(torch.relu(self.bn1(self.conv1((x - 0.5) / 0.25))).mean((2, 3)))


def flat(t):
    return [float(f"{v:.9g}") for v in np.asarray(t.detach() if torch.is_tensor(t) else t, float).flatten()]


def state(model):
    return {k: flat(v) for k, v in model.state_dict().items() if v.dim() > 0}


def batches(epoch):
    order = np.random.default_rng(10 + epoch).permutation(IMAGES)
    return [order[i:i + BATCH] for i in range(0, IMAGES, BATCH)]


def loader(epoch, of=images):
    return [(torch.tensor(of[i]), torch.tensor(labels[i]), torch.tensor(i)) for i in batches(epoch)]


class Tape(nn.Module):
    """Keeps the values of a loss."""

    def __init__(self, loss):
        super().__init__()
        self.loss, self.values = loss, []

    def forward(self, *args):
        v = self.loss(*args)
        self.values.append(float(f"{v.item():.9g}"))
        return v


class Randomness:
    """Keeps what the code draws."""

    def __enter__(self):
        self.weights, self.partners, self.alphas = [], [], []
        self.beta, self.randperm, r = np.random.beta, torch.randperm, np.random.default_rng(3)

        def beta(a, b):
            assert a == b
            self.alphas.append(a)
            self.weights.append(float(f"{r.beta(a, b):.6g}"))
            return self.weights[-1]

        def randperm(n):
            self.partners.append(r.permutation(n).tolist())
            return torch.tensor(self.partners[-1])

        np.random.beta, torch.randperm = beta, randperm
        return self

    def __exit__(self, *_):
        np.random.beta, torch.randperm = self.beta, self.randperm


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=DECAY)


logger = SimpleNamespace(write=lambda _: None)
cases = {}

with repository("confidence-aware-learning"):
    import crl_utils
    import train
    for target in ["softmax", "margin", "entropy"]:
        model, history = Net(10), crl_utils.History(IMAGES)
        clean, ranking = Tape(nn.CrossEntropyLoss()), Tape(nn.MarginRankingLoss(margin=0.0))
        args = SimpleNamespace(rank_target=target, data="cifar10", rank_weight=2.0, print_freq=100)
        optimizer, counts = sgd(model), []
        model.train()
        for epoch in range(1, EPOCHS + 1):
            with contextlib.redirect_stdout(io.StringIO()):
                train.train(loader(epoch), model, clean, ranking, optimizer, epoch, history, logger, args)
            counts.append(history.correctness.astype(int).tolist())
        cases["crl " + target] = dict(clean=clean.values, ranking=ranking.values, counts=counts, end=state(model))

    # Every image was right once at least before the end, so that the smallest count is not 0.
    history, r, records = crl_utils.History(6), np.random.default_rng(4), []
    for epoch in range(1, 7):
        for index in np.split(r.permutation(6), [4]):
            right, i = r.random(len(index)) < 0.7, torch.tensor(index)
            target, margin = history.get_target_margin(i, torch.roll(i, -1))
            records.append(dict(index=index.tolist(), right=right.tolist(), target=flat(target), margin=flat(margin)))
            history.correctness_update(i, torch.tensor(right), torch.zeros(len(index), 2))
        history.max_correctness_update(epoch)
    cases["crl history"] = dict(history=records)

with repository("FMFP"):
    import train_fmfp
    from utils.sam import SAM
    for name, options in {"sam": {}, "asam": dict(rho=0.5, adaptive=True)}.items():
        model, clean = Net(10), Tape(nn.CrossEntropyLoss())
        optimizer = SAM(model.parameters(), torch.optim.SGD, lr=LR, momentum=MOMENTUM, weight_decay=DECAY, **options)
        for epoch in range(1, EPOCHS + 1):
            train_fmfp.train(loader(epoch), model, clean, None, optimizer, epoch, None, logger, SimpleNamespace(method="sam"))
        cases[name] = dict(clean=clean.values[::2], worst=clean.values[1::2], end=state(model))

with repository("OpenMix"):
    import train_cvpr
    for name, classes in {"OpenMix": 11, "RegMixup": 10}.items():
        model, clean = Net(classes), Tape(nn.functional.cross_entropy)
        optimizer = sgd(model)
        args = SimpleNamespace(method=name, classnumber=10, lambda_o=0.5)
        with Randomness() as random:
            train_cvpr.F.cross_entropy = clean  # which is called three times a step
            for epoch in range(1, EPOCHS + 1):
                train_cvpr.train(loader(epoch), loader(epoch, outliers), model, clean, None, optimizer, epoch, None, logger, args)
            train_cvpr.F.cross_entropy = clean.loss
        cases[name] = dict(clean=clean.values[::3], alphas=random.alphas, mix=random.weights, partners=random.partners,
                           end=state(model))

with repository("RegMixup"):
    from models.regmixup import RegMixup

    class Base(nn.Module):
        hparams = SimpleNamespace(mixup_alpha=20.0, mixup_beta=20.0)

        def __init__(self):
            super().__init__()
            self.net = Net(10)
            self.build_loss()

        def forward(self, x):
            return self.net(x), None

    model, total = RegMixup(Base)(), []
    optimizer = sgd(model)
    with Randomness() as random:
        for epoch in range(1, EPOCHS + 1):
            for x, y, _ in loader(epoch):
                loss = model.training_step((x, y), 0)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total.append(float(f"{loss.item():.9g}"))
    cases["RegMixup, mean"] = dict(total=total, alphas=random.alphas, mix=random.weights, partners=random.partners,
                                   end=state(model.net))

with repository("logitnorm_ood"):
    from common.loss_function import LogitNormLoss
    model, loss = Net(10), Tape(LogitNormLoss("cpu", 0.04))
    optimizer = sgd(model)
    for epoch in range(1, EPOCHS + 1):
        for x, y, _ in loader(epoch):
            v = loss(model(x), y)
            optimizer.zero_grad()
            v.backward()
            optimizer.step()
    cases["LogitNorm"] = dict(clean=loss.values, end=state(model))

# main_fmfp.py, methods swa and fmfp
optimizer, rates = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1), []
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100)
average = torch.optim.swa_utils.SWALR(optimizer, swa_lr=0.05)
for epoch in range(1, 201):
    rates.append(float(f"{optimizer.param_groups[0]['lr']:.9g}"))
    optimizer.step()
    (average if epoch > 120 else scheduler).step()

json.dump(dict(
    lr=LR, momentum=MOMENTUM, decay=DECAY, images=flat(images), outliers=flat(outliers), labels=labels.tolist(),
    start={n: state(Net(n)) for n in (10, 11)}, batches=[b.tolist() for e in range(1, EPOCHS + 1) for b in batches(e)],
    epochs=EPOCHS, cases=cases, fmfp_rates=rates), open("baselines.json", "w"))
