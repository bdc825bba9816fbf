"""Writes oracle.json: scores computed with numpy alone, each straight from its formula, for the tests of ratml/confidence.

Run with Python 3, numpy, scipy and scikit-learn: python oracle.py
"""
import json
import os

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors

rng = np.random.default_rng(20)
N, K, D = 40, 6, 5
z = np.round(rng.normal(0, 3, (N, K)), 3).astype(np.float32).astype(float)
y = np.where(rng.random(N) < 0.7, z.argmax(1), rng.integers(0, K, N))
right = z.argmax(1) == y
assert right.any() and not right.all()
out = {"logits": z.tolist(), "labels": y.tolist(), "classes": K, "scores": {}}
S = out["scores"]
rows = np.arange(N)

S["Energy T=1"] = logsumexp(z, axis=1)
S["Energy T=2.5"] = 2.5 * logsumexp(z / 2.5, axis=1)


def gen(gamma, top):
    p = np.sort(softmax(z, axis=1), axis=1)[:, -top:]
    return -(p**gamma * (1 - p) ** gamma).sum(1)


S["GEN"] = gen(0.1, K)
S["GEN gamma=.5 top=3"] = gen(0.5, 3)
for p in (1, 2, 3.5):
    c = z - z.mean(1, keepdims=True)
    S[f"MLS_pnorm p={p}"] = c.max(1) / np.linalg.norm(c, ord=p, axis=1)

m, c = z.max(1), z.argmax(1)
mean = np.array([m[c == k].mean() if (c == k).sum() > 1 else m.mean() for k in range(K)])
sd = np.array([m[c == k].std() if (c == k).sum() > 1 else m.std() for k in range(K)])
S["SML"] = (m - mean[c]) / sd[c]


def relu_matrix(t, lbd):
    p = softmax(z / t, axis=1)
    pos, neg = p[right], p[~right]
    w = -(1 - lbd) * np.einsum("ij,ik->ijk", pos, pos).mean(0) + lbd * np.einsum("ij,ik->ijk", neg, neg).mean(0)
    w = np.tril(w, -1)
    w = np.maximum(w + w.T, 0)
    if (w <= 0).all():
        w = 1 - np.eye(K)
    return w / np.linalg.norm(w)


def relu(t, w):
    p = softmax(z / t, axis=1)
    return -np.einsum("ij,jk,ik->i", p, w, p)


S["RelU"] = relu(1, relu_matrix(1, 0.5))
S["RelU T=2 lambda=.3"] = relu(2, relu_matrix(2, 0.3))
gini = (1 - np.eye(K)) / np.linalg.norm(1 - np.eye(K))
S["RelU default"] = relu(1, gini)


def nll(log_t):
    s = z / np.exp(log_t)
    return (logsumexp(s, axis=1) - s[rows, y]).mean()


best = minimize_scalar(nll, bounds=(np.log(0.05), np.log(20)), method="bounded", options={"xatol": 1e-12})
t = float(np.exp(best.x))
out["temperature"] = {"value": t, "nll": float(best.fun)}
S["TS_MSR"] = softmax(z / t, axis=1).max(1)

# Several passes over the same images.
passes = np.round(z[None] + rng.normal(0, 1.5, (4, N, K)), 3).astype(np.float32).astype(float)
out["passes"] = passes.tolist()
P = softmax(passes, axis=2)
mp = P.mean(0)
H = lambda p: -(p * np.log(p)).sum(-1)
S["mean probability"] = mp[rows, z.argmax(1)]
S["mutual information"] = H(P).mean(0) - H(mp)
S["variation ratio"] = np.array([np.bincount(v, minlength=K).max() / 4 for v in passes.argmax(2).T]) - 1
out["mean_prediction"] = mp.argmax(1).tolist()
S["ensemble MSR"] = mp.max(1)
S["ensemble Energy"] = logsumexp(np.log(mp), axis=1)
S["ensemble NE"] = (mp * np.log(mp + 1e-9)).sum(1)

# Features of a training set, and of test images.
train = np.round(np.abs(rng.normal(0, 1, (60, D))) + 0.1, 3).astype(np.float32).astype(float)
train_labels = np.arange(60) % 3
test = np.round(np.abs(rng.normal(0.3, 1, (N, D))), 3).astype(np.float32).astype(float)
out["features"] = {"train": train.tolist(), "labels": train_labels.tolist(), "test": test.tolist()}
mus = np.array([train[train_labels == k].mean(0) for k in range(3)])
r = train - mus[train_labels]
cov = r.T @ r / len(train)
cov_ridge = cov + np.eye(D) * np.trace(cov) / D * 1e-6
inv = np.linalg.inv(cov_ridge)
d = test[:, None, :] - mus[None]
S["Mahalanobis"] = -np.einsum("ncd,de,nce->nc", d, inv, d).min(1)
unit = lambda f: f / np.linalg.norm(f, axis=1, keepdims=True)
for k in (1, 5):
    nn = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(unit(train))
    S[f"kNN k={k}"] = -nn.kneighbors(unit(test))[0][:, -1]

# A logistic regression with a ridge: mean log-loss + penalty/2 |w|^2 is C = 1/(n penalty) in scikit-learn's terms.
x = np.round(rng.normal(0, 0.3, (N, 3)), 4)
label = right
out["logistic"] = {"x": x.tolist(), "y": label.tolist(), "fits": []}
for penalty in (1e-3, 1e-1):
    m = LogisticRegression(C=1 / (N * penalty), tol=1e-12, max_iter=100000).fit(x, label)
    out["logistic"]["fits"].append({"penalty": penalty, "weights": [float(m.intercept_[0])] + m.coef_[0].tolist()})

# Leaving out one image at a time.
loss = 0
for i in range(N):
    keep = np.arange(N) != i
    m = LogisticRegression(C=1 / ((N - 1) * 1e-1), tol=1e-12, max_iter=100000).fit(x[keep], label[keep])
    loss -= np.log(m.predict_proba(x[i : i + 1])[0, int(label[i])]) / N
out["logistic"]["leave_one_out"] = float(loss)

out["scores"] = {k: np.asarray(v).tolist() for k, v in S.items()}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oracle.json")
with open(path, "w") as f:
    json.dump(out, f, indent=None, separators=(",", ":"))
    f.write("\n")
