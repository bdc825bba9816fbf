"""Corrupts two photographs with the code of the benchmarks, for the tests of package corrupt.

  python reference.py --robustness DIR

DIR is a checkout of https://github.com/hendrycks/robustness at commit 8190fe329f5f072a06e3a2aea02bb5dda69aed9f. Its functions are
run as they are, with these changes only:

- what newer numpy, scipy and scikit-image call otherwise has its old name again;
- all random numbers come from one generator (class Draws), so that another program can repeat them;
- motion blur is that of imagecorruptions, rounded down to bytes, instead of ImageMagick's: ImageMagick 6.9.11 gives the
  same bytes for all but 0.2 % of values, which are one level off;
- the photographs of frost are pictures made by a formula (frost_picture), as the real ones are not free.

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-image 0.26.0, opencv-python 5.0.0.93, Pillow 13.0.0 and
imagecorruptions 1.1.2. It writes

  cifar_clean.png, imagenet_clean.png  32x32 and 224x224 of scikit-image's astronaut (NASA, public domain)
  cifar.png      a sheet of 19 columns (corruptions) and 5 rows (severities) of 32x32
  imagenet.png   the same for 224x224, of which only every 9th pixel of every 9th row from 4 on is kept (25x25)
  statistics.json  mean, deviation and mean absolute difference from the clean image of 400 runs with numpy's own random
                 numbers, seed 1 (photographs of frost: those in imagecorruptions), and of the photographs of frost
  imagecorruptions.json  how far imagecorruptions is from the ImageNet code with the same random numbers, in grey levels
"""

import argparse, ast, collections, io, json, math, os, sys, types

import cv2
import numpy as np
import scipy.ndimage
import scipy.stats
import skimage as sk
import skimage.data
from PIL import Image

NAMES = """gaussian_noise shot_noise impulse_noise defocus_blur glass_blur motion_blur zoom_blur snow frost fog brightness
contrast elastic_transform pixelate jpeg_compression speckle_noise gaussian_blur spatter saturate""".split()
HERE = os.path.dirname(os.path.abspath(__file__))


class Draws:
    """SplitMix64; normal numbers by Box and Muller, Poisson numbers by inversion."""

    def __init__(self, seed):
        self.state = seed

    def uniforms(self, n):
        golden = np.uint64(0x9E3779B97F4A7C15)
        with np.errstate(over="ignore"):
            z = np.uint64(self.state) + golden * np.arange(1, n + 1, dtype=np.uint64)
            self.state = int(z[-1])
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z ^= z >> np.uint64(31)
        return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def random(self, size=None):
        u = self.uniforms(int(np.prod(size)) if size is not None else 1)
        return u.reshape(size) if size is not None else u[0]

    def uniform(self, low=0.0, high=1.0, size=None):
        return low + (high - low) * self.random(size)

    def normal(self, loc=0.0, scale=1.0, size=None):
        u = self.random((int(np.prod(size)), 2))
        z = np.sqrt(-2 * np.log(1 - u[:, 0])) * np.cos(2 * np.pi * u[:, 1])
        return loc + scale * z.reshape(size)

    def randint(self, low, high=None, size=None):
        low, high = (0, low) if high is None else (low, high)
        return low + np.floor(self.random(size) * (high - low)).astype(int)

    def poisson(self, lam):
        return np.where(lam > 0, scipy.stats.poisson.ppf(self.random(lam.shape), np.maximum(lam, 1e-300)), 0)


def frost_picture(k):
    """Picture k of 5: 400 x 500, in the order blue, green, red."""
    y, x = np.mgrid[0:400, 0:500]
    return np.stack([(x * (3 + k) + y * 7 * (c + 1) + x * y // 50) % 256 for c in range(3)], -1).astype(np.uint8)


def frost_index(path):
    return int(os.path.basename(path)[5]) - 1


class Numpy:
    """numpy with other random numbers and the names it used to have."""

    def __init__(self, random):
        self.random = random
        self.float_ = np.float64
        self.fromstring = np.frombuffer

    def __getattr__(self, name):
        return getattr(np, name)


def imagecorruptions():
    for name, module in {
        "scipy.ndimage.interpolation": types.SimpleNamespace(map_coordinates=scipy.ndimage.map_coordinates),
        "pkg_resources": types.SimpleNamespace(resource_filename=None),
    }.items():
        sys.modules[name] = module
    import imagecorruptions.corruptions as module

    root = os.path.dirname(module.__file__)
    module.resource_filename = lambda _, path: os.path.join(root, path)
    return module


REAL_FROST = os.path.join(os.path.dirname(imagecorruptions().__file__), "frost")


def gaussian(image, sigma, multichannel=False, **more):
    return sk.filters.gaussian(image, sigma=sigma, channel_axis=-1 if multichannel else None, **more)


def patched(namespace, draws, real_frost):
    """Gives the functions in a module's namespace their old environment, and the random numbers."""
    random = np.random if draws is None else draws
    old_numpy = Numpy(random)

    def salt_and_pepper(image, mode, amount):
        keep = np.random.default_rng
        np.random.default_rng = lambda seed=None: random
        try:
            return sk.util.random_noise(image, mode=mode, amount=amount)
        finally:
            np.random.default_rng = keep

    skimage = types.SimpleNamespace(util=types.SimpleNamespace(random_noise=salt_and_pepper), color=sk.color)
    old_cv2 = types.SimpleNamespace(**{k: getattr(cv2, k) for k in dir(cv2) if not k.startswith("__")})
    if real_frost:
        old_cv2.imread = lambda path: cv2.imread(os.path.join(REAL_FROST, os.path.basename(path)))
    else:
        old_cv2.imread = lambda path: frost_picture(frost_index(path))
    namespace.update(np=old_numpy, sk=skimage, cv2=old_cv2, gaussian=gaussian)


class MotionImage:
    """Stands for the wand of ImageMagick."""

    module = imagecorruptions()

    def __init__(self, blob):
        self.pixels = np.array(Image.open(io.BytesIO(blob)))

    def motion_blur(self, radius, sigma, angle):
        self.pixels = self.module._motion_blur(self.pixels, radius=radius, sigma=sigma, angle=angle)

    def make_blob(self):
        out = io.BytesIO()
        Image.fromarray(np.clip(self.pixels, 0, 255).astype(np.uint8)).save(out, "PNG")
        return out.getvalue()


class OldImage:
    """PIL.Image whose fromarray still takes the argument mode."""

    def __getattr__(self, name):
        return getattr(Image, name)

    def fromarray(self, a, mode=None):
        return Image.fromarray(a)


def functions(path, draws=None, real_frost=False):
    """The functions of a file, by name, none of its other code being run."""
    tree = ast.parse(open(path).read())
    tree.body = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    namespace = {
        "math": math, "BytesIO": io.BytesIO, "PILImage": OldImage(), "MotionImage": MotionImage,
        "scizoom": scipy.ndimage.zoom, "map_coordinates": scipy.ndimage.map_coordinates,
    }
    patched(namespace, draws, real_frost)
    exec(compile(tree, path, "exec"), namespace)
    return namespace


def seed(name, severity):
    return 100 * NAMES.index(name) + severity


def run(function, image, severity):
    with np.errstate(invalid="ignore"):
        return np.uint8(function(Image.fromarray(image), severity))


def sheet(path, image, step):
    rows = []
    for severity in range(1, 6):
        row = []
        for name in NAMES:
            f = functions(path, Draws(seed(name, severity)))
            row.append(run(f[name], image, severity)[step // 2 :: step, step // 2 :: step])
        rows.append(np.hstack(row))
    return np.vstack(rows)


def statistics(path, image, repeats):
    np.random.seed(1)
    rng = np.random.default_rng(1)
    np.random.default_rng = lambda seed=None: rng
    f = functions(path, real_frost=True)
    out = {}
    for name in NAMES:
        for severity in range(1, 6):
            runs = np.array([run(f[name], image, severity) for _ in range(repeats)], dtype=np.float64)
            values = np.stack([
                runs.mean((1, 2, 3)), runs.std((1, 2, 3)), np.abs(runs - image).mean((1, 2, 3)),
                np.abs(np.diff(runs, axis=2)).mean((1, 2, 3)),
            ])
            out[f"{name} {severity}"] = {
                "mean": values.mean(1).round(4).tolist(), "deviation": values.std(1, ddof=1).round(4).tolist()}
    return out


def compare_imagecorruptions(path, image):
    module = MotionImage.module
    out = {}
    for name in NAMES:
        worst = []
        for severity in range(1, 6):
            want = run(functions(path, Draws(seed(name, severity)))[name], image, severity)
            patched(module.__dict__, Draws(seed(name, severity)), False)
            got = run(getattr(module, name), image, severity)
            d = np.abs(got.astype(int) - want)
            worst.append([int(d.max()), round(float(d.mean()), 3)])
        out[name] = worst
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--robustness", required=True)
    create = os.path.join(p.parse_args().robustness, "ImageNet-C", "create_c")
    cifar, imagenet = (os.path.join(create, f"make_{n}_c.py") for n in ("cifar", "imagenet"))
    photograph = Image.fromarray(sk.data.astronaut()[0:448, 0:448])
    large = np.array(photograph.resize((224, 224), Image.LANCZOS))
    small = np.array(photograph.crop((100, 0, 356, 256)).resize((32, 32), Image.LANCZOS))

    def save(name, pixels):
        Image.fromarray(pixels).save(os.path.join(HERE, name), optimize=True)

    def dump(name, value):
        with open(os.path.join(HERE, name), "w") as f:
            f.write("{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "\n}\n")

    save("cifar_clean.png", small)
    save("imagenet_clean.png", large)
    save("cifar.png", sheet(cifar, small, 1))
    save("imagenet.png", sheet(imagenet, large, 9))
    dump("imagecorruptions.json", compare_imagecorruptions(imagenet, large))
    dump("statistics.json", statistics(cifar, small, 400))


if __name__ == "__main__":
    main()
