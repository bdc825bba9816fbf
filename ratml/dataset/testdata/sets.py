"""Writes tiny data sets as their official tools write them, and what numpy reads from them.

Made with Python 3.11, numpy 2, scipy 1.17, Pillow 13; seed 3. Run it in its folder: it fills the folder sets.
CIFAR's pickles come in the styles of Python 2 (as distributed), and of Python 3's protocols 2 to 5. Images are of few
colours, so that files are small.
"""
import io, os, pickle, shutil, struct, tarfile
import numpy as np
import scipy.io

rng = np.random.default_rng(3)
shutil.rmtree("sets", ignore_errors=True)
os.makedirs("sets")
os.chdir("sets")


def images(n, h=32, w=32):
    """n pictures of blocks of 8x8 pixels, [n,h,w,3]."""
    small = rng.integers(0, 256, (n, (h + 7) // 8, (w + 7) // 8, 3), dtype=np.uint8)
    return small.repeat(8, 1).repeat(8, 2)[:, :h, :w]


class Python2(pickle._Pickler):
    """Writes bytes as Python 2 writes its strings, and numpy's classes under their old names."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, obj):
        n = len(obj)
        self.write(b"U" + bytes([n]) + obj if n < 256 else b"T" + struct.pack("<i", n) + obj)
        self.memoize(obj)

    dispatch[bytes] = save_bytes

    def save_str(self, obj):
        self.save_bytes(obj.encode())

    dispatch[str] = save_str


def dumps(value, style):
    if style == 0:
        out = io.BytesIO()
        Python2(out, 2).dump(value)
        return out.getvalue().replace(b"numpy._core", b"numpy.core")
    return pickle.dumps(value, style)


def planes(a):
    return np.ascontiguousarray(a.transpose(0, 3, 1, 2).reshape(len(a), -1))


def tar(name, folder, files):
    with tarfile.open(name, "w:gz") as t:
        for member, content in files.items():
            info = tarfile.TarInfo(f"{folder}/{member}")
            info.size = len(content)
            t.addfile(info, io.BytesIO(content))


expected = {}

# CIFAR-10: two images in each file.
python, binary = {}, {}
for k in range(6):
    x, y = images(2), rng.integers(0, 10, 2).tolist()
    name = "test_batch" if k == 5 else f"data_batch_{k + 1}"
    batch = {b"batch_label": b"batch %d" % k, b"labels": y, b"data": planes(x), b"filenames": [b"a_%d.png" % i for i in y]}
    if k == 3:
        batch = {key.decode(): v for key, v in batch.items()}
    python[name] = dumps(batch, (0, 0, 2, 3, 4, 5)[k])
    binary[name + ".bin"] = b"".join(bytes([l]) + p.tobytes() for l, p in zip(y, planes(x)))
    expected[f"cifar10_{k}_x"], expected[f"cifar10_{k}_y"] = x, y
python["batches.meta"] = dumps({b"label_names": [b"airplane"]}, 0)
tar("cifar-10-python.tar.gz", "cifar-10-batches-py", python)
tar("cifar-10-binary.tar.gz", "cifar-10-batches-bin", binary)

# CIFAR-100.
python, binary = {}, {}
for name, n in (("train", 6), ("test", 4)):
    x, fine, coarse = images(n), rng.integers(0, 100, n), rng.integers(0, 20, n)
    python[name] = dumps({b"filenames": [b"a"] * n, b"batch_label": b"1 of 1", b"fine_labels": fine.tolist(),
                          b"coarse_labels": coarse.tolist(), b"data": planes(x)}, 0)
    binary[name + ".bin"] = b"".join(bytes([c, f]) + p.tobytes() for c, f, p in zip(coarse, fine, planes(x)))
    expected[f"cifar100_{name}_x"], expected[f"cifar100_{name}_y"], expected[f"cifar100_{name}_coarse"] = x, fine, coarse
tar("cifar-100-python.tar.gz", "cifar-100-python", python)
tar("cifar-100-binary.tar.gz", "cifar-100-binary", binary)

# SVHN: compressed as it is distributed, and not.
for name, n, kind, packed in (("train", 5, np.uint8, True), ("test", 4, np.float64, False), ("extra", 3, np.int64, True)):
    x, y = images(n), rng.integers(1, 11, n)
    y[0] = 10
    scipy.io.savemat(f"{name}_32x32.mat", {"X": x.transpose(1, 2, 3, 0), "y": y[:, None].astype(kind)}, do_compression=packed)
    expected[f"svhn_{name}_x"], expected[f"svhn_{name}_y"] = x, y % 10

np.savez_compressed("expected.npz", **{k: np.asarray(v) for k, v in expected.items()})
