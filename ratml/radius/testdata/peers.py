"""Attacks of torchattacks and foolbox on the golden network and its first test images; writes peers.json beside itself.

Needs: torch, torchattacks 3.5.1, foolbox 3.3.4. Labels are the network's own predictions.
"""

import json
import os
import struct

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "..", "testdata", "golden")
N = 32


def load(path):
    with open(path, "rb") as f:
        (size,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(size))
        data = f.read()
    out = {}
    for name, t in header.items():
        if name != "__metadata__" and t["dtype"] == "F32":
            a, b = t["data_offsets"]
            out[name] = torch.from_numpy(np.frombuffer(data[a:b], "<f4").copy().reshape(t["shape"]))
    return out


class Net(torch.nn.Module):
    """WRN-10-1 in evaluation mode, with the normalisation inside."""

    def __init__(self, w):
        super().__init__()
        self.w = w
        self.mean = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1)
        self.std = torch.tensor([0.2023, 0.1994, 0.2010]).view(1, 3, 1, 1)
        self.anchor = torch.nn.Parameter(torch.zeros(1))

    def norm(self, name, x):
        w = self.w
        x = F.batch_norm(x, w[name + ".running_mean"], w[name + ".running_var"], w[name + ".weight"], w[name + ".bias"])
        return F.relu(x)

    def forward(self, x):
        w = self.w
        x = F.conv2d((x - self.mean) / self.std, w["features.init_block.weight"], padding=1)
        for stage in (1, 2, 3):
            unit = f"features.stage{stage}.unit1."
            stride = 1 if stage == 1 else 2
            a = self.norm(unit + "body.conv1.bn", x)
            y = F.conv2d(a, w[unit + "body.conv1.conv.weight"], stride=stride, padding=1)
            y = F.conv2d(self.norm(unit + "body.conv2.bn", y), w[unit + "body.conv2.conv.weight"], padding=1)
            if unit + "identity_conv.weight" in w:
                x = F.conv2d(a, w[unit + "identity_conv.weight"], stride=stride)
            x = x + y
        x = self.norm("features.post_activ.bn", x).mean(dim=(2, 3))
        return F.linear(x, w["output.weight"], w["output.bias"])


def main():
    import foolbox
    import torchattacks

    torch.manual_seed(0)
    torch.set_num_threads(1)
    f = np.load(os.path.join(GOLDEN, "scores_rat.npz"))
    x = torch.from_numpy(f["images"][:N].astype(np.float32) / 255)
    net = Net(load(os.path.join(GOLDEN, "weights_rat.safetensors"))).eval()
    with torch.no_grad():
        assert np.abs(net(x).numpy() - f["logits"][:N]).max() < 1e-3
        labels = net(x).argmax(1)

    def measure(adv, norm):
        with torch.no_grad():
            found = net(adv).argmax(1) != labels
        d = (adv - x).flatten(1)
        d = d.abs().max(1)[0] if norm == "Linf" else d.norm(dim=1)
        return [float(v) if ok else None for v, ok in zip(d, found)]

    out = {"images": N, "versions": [torch.__version__, torchattacks.__version__, foolbox.__version__]}
    adv = torchattacks.DeepFool(net, steps=50, overshoot=0.02)(x, labels)
    out["torchattacks DeepFool L2"] = measure(adv, "L2")
    out["torchattacks DeepFool Linf"] = measure(adv, "Linf")
    for norm in ("Linf", "L2"):
        adv = torchattacks.FAB(net, norm=norm, steps=20, eps=1.0 if norm == "Linf" else 100.0, n_classes=10)(x, labels)
        out["torchattacks FAB " + norm] = measure(adv, norm)
    eps = [0.002, 0.004, 0.006, 0.008, 0.012, 0.016]
    pgd = {}
    for e in eps:
        adv = torchattacks.PGD(net, eps=e, alpha=e / 4, steps=10, random_start=False)(x, labels)
        with torch.no_grad():
            pgd[e] = int((net(adv).argmax(1) != labels).sum())
    out["torchattacks PGD Linf, images fooled by eps"] = pgd
    model = foolbox.PyTorchModel(net, bounds=(0, 1))
    # foolbox's L2 form stops at distance 1 on this network and is left out.
    _, adv, _ = foolbox.attacks.LInfFMNAttack(steps=100)(model, x, labels, epsilons=None)
    out["foolbox FMN Linf"] = measure(adv, "Linf")
    with open(os.path.join(HERE, "peers.json"), "w") as g:
        json.dump(out, g, indent=1)
        g.write("\n")
    for k, v in out.items():
        if isinstance(v, list) and len(v) == N:
            r = [d for d in v if d is not None]
            print(f"{k}: {len(r)} found, median {np.median(r):.5f}")
    print(pgd)


main()
