"""Writes image files of many kinds, and beside each the pixels that Pillow reads from it.

Made with Pillow 13.0.0 (libjpeg-turbo 3.2.0, libwebp 1.6.0) and numpy; seed 5. NAME.EXT is the file, NAME.EXT.png what
Image.open(NAME.EXT).convert("RGB") holds. Run it in its folder.
"""
import struct, zlib
import numpy as np
from PIL import Image

rng = np.random.default_rng(5)


def photo(h, w, bands=3):
    small = rng.integers(0, 256, (max(2, h // 6), max(2, w // 6), bands), dtype=np.uint8)
    planes = [Image.fromarray(small[..., b]).resize((w, h), Image.BICUBIC) for b in range(bands)]
    return np.stack([np.asarray(p) for p in planes], -1)


def save(name, image, **options):
    image.save(name, **options)
    expected(name)


def expected(name):
    pixels = np.asarray(Image.open(name).convert("RGB"))
    Image.fromarray(pixels).save(name + ".png")  # without notes on transparency


def png16(name, a):  # Pillow writes no colour of 16 bits
    h, w, _ = a.shape
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in a)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(name, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 16, 2, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
    expected(name)


rgb = Image.fromarray(photo(29, 37))
for name, sub in (("444", "4:4:4"), ("422", "4:2:2"), ("420", "4:2:0"), ("411", "4:1:1")):
    save(f"yuv{name}.jpg", rgb, quality=85, subsampling=sub)
save("narrow.jpg", Image.fromarray(photo(9, 3)), quality=90, subsampling="4:2:0")
save("even.jpg", Image.fromarray(photo(16, 32)), quality=75)
save("progressive.jpg", rgb, quality=85, progressive=True)
save("restart.jpg", rgb, quality=85, restart_marker_blocks=2)
save("grey.jpg", rgb.convert("L"), quality=85)
save("cmyk.jpg", Image.fromarray(photo(29, 37, 4), "CMYK"), quality=85)
exif = Image.Exif()
exif[0x0112] = 6  # rotated
save("rotated.jpg", rgb, quality=85, exif=exif)
save("png_named.JPEG", rgb, format="PNG")

save("rgb.png", rgb)
save("rgba.png", Image.fromarray(photo(29, 37, 4), "RGBA"))
save("grey.png", rgb.convert("L"))
save("greyalpha.png", Image.fromarray(photo(29, 37, 2), "LA"))
save("bits.png", rgb.convert("1"))
save("palette.png", rgb.quantize(17))
save("palette_clear.png", rgb.quantize(17), transparency=bytes(range(0, 255, 15)))
save("clear.png", rgb, transparency=rgb.getpixel((0, 0)))
save("grey16.png", Image.fromarray(photo(29, 37, 1)[..., 0].astype(np.uint16) * 2))
png16("rgb16.png", photo(29, 37).astype(np.uint16) * 250 + 99)
save("lossy.webp", rgb, quality=80)
save("lossless.webp", rgb, lossless=True)
save("alpha.webp", Image.fromarray(photo(28, 36, 4), "RGBA"), quality=80)
save("odd.webp", Image.fromarray(photo(1, 5)), quality=80)
save("rgb.bmp", rgb)
save("grey.bmp", rgb.convert("L"))
