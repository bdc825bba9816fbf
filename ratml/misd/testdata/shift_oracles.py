"""Writes shift_oracles.json: what fd-shifts makes of a data set with new classes mixed in.

    python3 shift_oracles.py FD_SHIFTS_CHECKOUT    # needs what random_oracles.py needs

The mixtures are those of its filter_new_class_study_data (analysis/studies.py) in both modes, the metrics those of its
analysis/metrics.py, divided by its display scale of 1000 where it has one.
"""
import json
import sys

import numpy as np
from random_oracles import clean, import_fdshifts


class Data:
    """What the filter looks at, without the arrays that it hands through."""

    def __init__(self, softmax_output, labels, dataset_idx, _correct=None, **others):
        self.softmax_output, self.labels, self.dataset_idx = softmax_output, labels, dataset_idx
        self._correct = _correct
        for name in ("logits", "mcd_softmax_dist", "mcd_logits_dist", "mcd_correct", "external_confids", "mcd_external_confids_dist", "config",
                     "react_logits", "maha_dist", "vim_score", "dknn_dist", "_train_features"):
            setattr(self, name, None)

    @property
    def correct(self):
        return self._correct if self._correct is not None else (self.softmax_output.argmax(1) == self.labels).astype(int)

    def dataset_name_to_idx(self, name):
        return ["own", "new"].index(name)


def main():
    metrics = import_fdshifts(sys.argv[1])
    from fd_shifts.analysis import studies
    rng = np.random.default_rng(7)
    cases = []
    for n_own, n_new in ((30, 10), (50, 80), (5, 5), (200, 40), (40, 1)):
        for digits in (2, 6):
            n = n_own + n_new
            z = rng.normal(0, 1, (n, 4)) * np.r_[np.full(n_own, 3), np.full(n_new, 1.5)][:, None]
            p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
            own_labels = np.where(rng.uniform(size=n_own) < 0.75, p[:n_own].argmax(1), rng.integers(0, 4, n_own))
            labels = np.r_[own_labels, rng.integers(0, 4, n_new)]
            conf = np.round(p.max(1), digits)
            case = {"own": {"label": own_labels.tolist(), "pred": p[:n_own].argmax(1).tolist(), "confidence": conf[:n_own].tolist()},
                    "new": {"pred": p[n_own:].argmax(1).tolist(), "confidence": conf[n_own:].tolist()}}
            for mode in ("proposed_mode", "original_mode"):
                d = studies.filter_new_class_study_data(Data(p, labels, np.r_[np.zeros(n_own), np.ones(n_new)]), "own", "new", mode)
                s = metrics.StatsCache(np.round(d.softmax_output.max(1), digits), d.correct, 15)
                get = metrics.get_metric_function
                case[mode] = {"n": len(d.labels), "auroc": get("failauc")(s), "aurc_trapezoid": s.aurc / 1000, "augrc": s.augrc / 1000,
                              "aupr_error": get("failap_err")(s), "fpr95_success_fdshifts": get("fpr@95tpr")(s)}
            cases.append(case)
    with open("shift_oracles.json", "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(clean(c)) for c in cases) + "\n]\n")


main()
