"""Writes random_oracles.json: what scikit-learn, fd-shifts and torch-uncertainty say of random confidences.

    pip install numpy scipy scikit-learn torch torch-uncertainty
    git clone https://github.com/IML-DKFZ/fd-shifts    # analysis/metrics.py and rc_stats.py are imported from it
    python3 random_oracles.py FD_SHIFTS_CHECKOUT

Null is NaN or "refused". Values of torch-uncertainty are left out where confidences tie (its order of ties is that of
torch.argsort; not so FPRx, which minds them) and are in float32 arithmetic. Values of fd-shifts are divided by its display scale of 1000.
"""
import json
import math
import sys
import types
import warnings

import numpy as np
import scipy
import sklearn
import sklearn.metrics as skm
import torch
import torch_uncertainty
from torch_uncertainty.metrics.classification import (
    AUGRC, AURC, BrierScore, CalibrationError, CategoricalNLL, CovAtxRisk, FPRx, RiskAtxCov)

np.trapz = np.trapezoid  # the name before numpy 2
warnings.simplefilter("ignore")


def import_fdshifts(path):
    """Imports the two modules without the package around them, which wants a training framework."""
    class Log:
        @staticmethod
        def catch(*_, level=None, default=None):
            def wrap(f):
                def inner(*a):
                    try:
                        return f(*a)
                    except ValueError:
                        return default
                return inner
            return wrap
    for name in ("fd_shifts", "fd_shifts.analysis"):
        m = types.ModuleType(name)
        m.__path__ = [path + "/" + name.replace(".", "/")]
        m.logger = Log
        sys.modules[name] = m
    sys.modules.setdefault("matplotlib", types.ModuleType("matplotlib"))
    sys.modules.setdefault("matplotlib.pyplot", types.ModuleType("matplotlib.pyplot"))
    from fd_shifts.analysis import metrics
    return metrics


def confidences(rng, kind, n):
    if kind == "distinct":
        return rng.permutation(np.linspace(0.503, 0.997, n))
    if kind == "two digits":
        return np.round(rng.uniform(0.5, 1, n), 2)
    if kind == "one digit":
        return np.round(rng.uniform(0.5, 1, n), 1)
    if kind == "saturated":  # float32 softmax: most are exactly 1
        return (1 / (1 + np.exp(-rng.normal(14, 6, n).clip(0)).astype(np.float32))).astype(np.float64)
    if kind == "constant":
        return np.full(n, 0.75)
    assert kind == "any sign"
    return np.round(rng.normal(0, 3, n), 1)


def correctness(rng, kind, k):
    n = len(k)
    if kind == "all right":
        return np.ones(n, int)
    if kind == "all wrong":
        return np.zeros(n, int)
    if kind == "one error":
        c = np.ones(n, int)
        c[rng.integers(n)] = 0
        return c
    if kind == "noise":
        return (rng.uniform(size=n) < 0.7).astype(int)
    assert kind == "informative"
    rank = np.argsort(np.argsort(k + rng.normal(0, k.std() + 1e-3, n))) / n
    return (rng.uniform(size=n) < 0.3 + 0.7 * rank).astype(int)


def sk(k, c):
    if c.min() == c.max():
        return {}
    out = {"auroc": skm.roc_auc_score(c, k), "aupr_success": skm.average_precision_score(c, k),
           "aupr_error": skm.average_precision_score(1 - c, -k)}
    for name, y, s in (("success", c, k), ("error", 1 - c, -k)):
        p, r, _ = skm.precision_recall_curve(y, s)
        out[f"aupr_{name}_trapezoid"] = skm.auc(r, p)
        fpr, tpr, _ = skm.roc_curve(y, s, drop_intermediate=False)
        out[f"fpr95_{name}"] = fpr[np.argmax(tpr >= 0.95)]
    fpr, tpr, _ = skm.roc_curve(1 - c, -k)
    out["fpr95_error_rat"] = fpr[np.argmax(tpr >= 0.95)]
    fpr, tpr, _ = skm.roc_curve(c, k)
    out["fpr95_success_openmix"] = fpr[np.abs(tpr - 0.95).argmin()]
    return out


def fd(metrics, k, c):
    s = metrics.StatsCache(k, c, 15)
    get = metrics.get_metric_function
    out = {"aurc_trapezoid": s.aurc / 1000, "augrc": s.augrc / 1000, "eaurc": s.eaurc / 1000, "auroc": get("failauc")(s),
           "aupr_success": get("failap_suc")(s), "aupr_error": get("failap_err")(s),
           "fpr95_success_fdshifts": get("fpr@95tpr")(s)}
    if c.min() < c.max():  # its hull takes points, not the line there is otherwise
        out["aurc_achievable"] = s.aurc_achievable / 1000
    else:
        for name in ("auroc", "aupr_success", "aupr_error", "fpr95_success_fdshifts"):
            del out[name]  # what scikit-learn makes of one class differs from release to release
    return out


def tu(k, c):
    out = {}
    if c.min() < c.max():
        m = FPRx(recall_level=0.95, pos_label=1)
        m.update(torch.tensor(-k), torch.tensor(1 - c))
        out["fpr95_error"] = float(m.compute())
    # The rest for distinct confidences above 1/2 alone: they are then the largest of two probabilities.
    if len(set(k)) < len(k) or k.min() <= 0.5 or len(k) < 2:
        return out
    p = torch.tensor(np.stack([k, 1 - k], 1))
    y = torch.tensor(1 - c)
    def value(m):
        m.update(p, y)
        return float(m.compute())
    out |= {"aurc_tu": value(AURC()), "augrc_tu": value(AUGRC())}
    for r in (0.01, 0.05, 0.1):
        out[f"cov_at_risk_{r}"] = value(CovAtxRisk(risk_threshold=r))
    for cov in (0.8, 0.9):
        out[f"risk_at_cov_{cov}"] = value(RiskAtxCov(cov_threshold=cov))
    return out


def probabilities(rng, n, classes):
    z = rng.normal(0, 2, (n, classes)).astype(np.float32)
    y = np.where(rng.uniform(size=n) < 0.6, z.argmax(1), rng.integers(0, classes, n))
    p = torch.softmax(torch.tensor(z, dtype=torch.float64), 1)
    t = torch.tensor(y)
    def value(m):
        m.update(p, t)
        return float(m.compute())
    onehot = np.eye(classes)[y]
    return {"classes": classes, "logits": z.ravel().astype(float).tolist(), "labels": y.tolist(),
            "sklearn": {"accuracy": skm.accuracy_score(y, p.argmax(1)), "nll": skm.log_loss(y, p.numpy(), labels=list(range(classes)))},
            "numpy": {"brier": float(((p.numpy() - onehot) ** 2).sum(1).mean())},
            "torch_uncertainty": {"nll": value(CategoricalNLL()), "brier": value(BrierScore(num_classes=classes)),
                                  "ece": value(CalibrationError(task="multiclass", num_classes=classes, num_bins=15))}}


def clean(x):
    if isinstance(x, dict):
        return {k: clean(v) for k, v in x.items()}
    if isinstance(x, (float, np.floating)):
        return None if math.isnan(x) else float(x)
    return x


def main():
    metrics = import_fdshifts(sys.argv[1])
    rng = np.random.default_rng(20260801)
    cases = []
    for kind in ("distinct", "two digits", "one digit", "saturated", "constant", "any sign"):
        for truth in ("informative", "noise", "one error", "all right", "all wrong"):
            for n in (1, 2, 3, 7, 20, 40, 40, 80):
                k = confidences(rng, kind, n)
                c = correctness(rng, truth, k)
                cases.append({"name": f"{kind}, {truth}, {n}", "confidence": k.tolist(), "correct": "".join(map(str, c)),
                              "sklearn": sk(k, c), "fd_shifts": fd(metrics, k, c), "torch_uncertainty": tu(k, c)})
    probs = [probabilities(rng, int(rng.integers(1, 50)), int(rng.integers(2, 7))) for _ in range(40)]
    versions = {m.__name__: m.__version__ for m in (np, scipy, sklearn, torch)} | {"torch_uncertainty": "0.13.0", "fd-shifts": "c4467ae"}
    with open("random_oracles.json", "w") as f:
        f.write('{"versions": ' + json.dumps(versions) + ',\n"scores": [\n')
        f.write(",\n".join(json.dumps(clean(c)) for c in cases))
        f.write('\n],\n"probabilities": [\n' + ",\n".join(json.dumps(clean(c)) for c in probs) + "\n]}\n")


if __name__ == "__main__":
    main()
