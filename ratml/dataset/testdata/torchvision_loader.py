"""Measures torchvision's loader beside BenchmarkPhotographs, on the same images in the same run, turn and turn about.

Usage, from the folder ratml/dataset: python testdata/torchvision_loader.py [rounds]

It makes 512 JPEG files of 500x375 pixels (quality 90, 4:2:0; seed 1), reads them by ImageFolder and a DataLoader with 2 workers,
batches of 32 and ImageNet's transforms for evaluation and for training, and runs the benchmark on the same folder. Workers of
the DataLoader live through all epochs, and the first epoch does not count. Used with torch 2.15, torchvision 0.30, Pillow 13.
"""
import os, re, subprocess, sys, tempfile, time
import numpy as np
import torch
from PIL import Image
from torchvision import datasets, transforms

rng = np.random.default_rng(1)


def photo():
    a = np.zeros((375, 500, 3))
    for s, share in ((4, 0.2), (16, 0.35), (64, 0.45)):
        small = Image.fromarray(rng.integers(0, 256, (375 // s, 500 // s, 3), dtype=np.uint8))
        a += np.asarray(small.resize((500, 375), Image.BICUBIC)) * share
    return Image.fromarray(a.clip(0, 255).astype(np.uint8))


def loader(root, transform):
    return torch.utils.data.DataLoader(datasets.ImageFolder(root, transform), batch_size=32, num_workers=2, persistent_workers=True)


def epochs(loader, seconds):
    for _ in loader:
        pass
    start, images = time.time(), 0
    while time.time() - start < seconds:
        for x, _ in loader:
            images += len(x)
    return images / (time.time() - start)


with tempfile.TemporaryDirectory() as root:
    os.mkdir(os.path.join(root, "k"))
    for i in range(512):
        photo().save(os.path.join(root, "k", f"{i:03d}.jpg"), quality=90, subsampling="4:2:0")
    kinds = {
        "evaluation": transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()]),
        "training": transforms.Compose([transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor()]),
    }
    loaders = {k: loader(root, t) for k, t in kinds.items()}
    subprocess.run(["go", "test", "-c", "-o", os.path.join(root, "bench"), "."], check=True)
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        for kind, l in loaders.items():
            theirs = epochs(l, 4)
            out = subprocess.run([os.path.join(root, "bench"), "-test.run", "^$", "-test.bench", f"Photographs/{kind}", "-test.benchtime", "4s"],
                                 env={**os.environ, "RATML_PHOTOS": root}, capture_output=True, text=True, check=True).stdout
            ours = float(re.search(r"([\d.]+) images/s", out).group(1))
            print(f"{kind}: torchvision {theirs:.0f} images/s, here {ours:.0f} images/s, ratio {ours / theirs:.2f}", flush=True)
