"""Writes tiny data sets of photographs in their official layouts, and what Pillow and torchvision's transforms make of them.

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, Pillow 13.0.0; seed 4. Run it in its folder: it fills the folder photos.
"""
import io, os, shutil, tarfile
import numpy as np
import scipy.io
from PIL import Image

rng = np.random.default_rng(4)
shutil.rmtree("photos", ignore_errors=True)
os.makedirs("photos")
os.chdir("photos")


def photo(h, w):
    small = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    return small.resize((w, h), Image.BICUBIC)


def jpeg(h, w):
    out = io.BytesIO()
    photo(h, w).save(out, "JPEG", quality=80)
    return out.getvalue()


def tar(name, files, mode="w"):
    with tarfile.open(name, mode) as t:
        for member, content in files.items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            t.addfile(info, io.BytesIO(content))


def packed(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for member, content in files.items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            t.addfile(info, io.BytesIO(content))
    return out.getvalue()


# ImageNet's archives: three classes, of which the numbers are not in the order of their names; one synset has children.
os.makedirs("ILSVRC2012_devkit_t12/data")
wnids = ["n02119789", "n01440764", "n04037443"]
kind = [("ILSVRC2012_ID", object), ("WNID", object), ("words", object), ("gloss", object), ("num_children", object),
        ("children", object), ("wordnet_height", object), ("num_train_images", object)]
synsets = np.array([(i + 1, w, f"name {i}", "text", 0, np.zeros((0,)), 0, 2) for i, w in enumerate(wnids)]
                   + [(4, "n00000001", "animal", "text", 2, np.array([1, 2]), 1, 0)], dtype=kind)[:, None]
scipy.io.savemat("ILSVRC2012_devkit_t12/data/meta.mat", {"synsets": synsets}, do_compression=True)
truth = [2, 3, 1, 2]
with open("ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt", "w") as f:
    f.write("".join(f"{n}\n" for n in truth))
with tarfile.open("ILSVRC2012_devkit_t12.tar.gz", "w:gz") as t:
    t.add("ILSVRC2012_devkit_t12")
shutil.rmtree("ILSVRC2012_devkit_t12")
val = {f"ILSVRC2012_val_{i + 1:08d}.JPEG": jpeg(30 + i, 40 - 3 * i) for i in range(4)}
tar("ILSVRC2012_img_val.tar", dict(reversed(val.items())))
tar("ILSVRC2012_img_train.tar", {f"{w}.tar": packed({f"{w}_{i}.JPEG": jpeg(33, 29 + i) for i in range(2)}) for w in wnids})

# What the official code's validation transforms make of the first two: Resize(256), CenterCrop(224).
for i, data in enumerate(list(val.values())[:2]):
    im = Image.open(io.BytesIO(data)).convert("RGB")
    w, h = im.size
    size = (256, 256 * h // w) if w <= h else (256 * w // h, 256)
    im = im.resize(size, Image.BILINEAR)
    left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    im.crop((left, top, left + 224, top + 224)).resize((28, 28), Image.BOX).save(f"val_{i + 1}.png")

# Corrupted CIFAR-10: one image at five severities, twice.
x = rng.integers(0, 256, (10, 4, 4, 3), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
np.save("fog.npy", x)
np.save("frost.npy", 255 - x)
np.save("labels.npy", np.array([3, 7] * 5, dtype=np.uint8))

# Arrays of images as users have them.
y = np.arange(5) % 3
small = rng.integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
np.savez("bytes.npz", x=small, y=y)
np.savez_compressed("planes.npz", images=small.transpose(0, 3, 1, 2), labels=y.astype(np.int32)[:, None])
np.savez_compressed("floats.npz", x_train=(small / 255).astype(np.float32), y_train=y, x_test=(small[:2].transpose(0, 3, 1, 2) / 255),
                    y_test=y[:2].astype(np.uint8))
np.savez("grey.npz", data=small[..., 0])
np.save("small.npy", small)
