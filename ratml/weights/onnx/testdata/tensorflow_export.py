"""Exports classifiers of TensorFlow and scikit-learn to ONNX, with logits and input gradients, for package onnx's tests.

    python tensorflow_export.py          small nets, into this folder
    python tensorflow_export.py DIR      Keras applications with random weights, into DIR

Made with Python 3.11, tensorflow-cpu 2.21.0, keras 3.15.1, tf2onnx 1.17.0, scikit-learn 1.9.1, skl2onnx 1.20.0, with
seeds. The files beside NAME.onnx are as export.py writes them.
"""
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import numpy as np

from values import values


def write(name, x, y, g, seed):
    n = x.shape[0]
    d = dict(shape=list(x.shape), seed=seed, logits=[float(f"{v:.7g}") for v in np.ravel(y).tolist()])
    g = np.ravel(g)
    d["gradientNorm"] = float(np.linalg.norm(g))
    keep = np.linspace(0, len(g) - 1, min(len(g), 3000)).astype(int)
    d["gradientAt"] = keep.tolist() if len(keep) < len(g) else None
    d["gradient"] = [float(f"{v:.6g}") for v in g[keep].tolist()]
    with open(name + ".json", "w") as f:
        json.dump(d, f, separators=(",", ":"))


def clean(name):
    import onnx
    m = onnx.load(name)
    for holder in [m, m.graph, *m.graph.node]:
        holder.doc_string = ""
    onnx.save(m, name)


def keras(net, name, size, seed, logits=None, **kw):
    """Exports a net that takes images with channels last; logits is the net without its last softmax."""
    import tensorflow as tf
    import tf2onnx
    c = net.input_shape[-1]
    spec = (tf.TensorSpec((None, size, size, c), tf.float32, name="image"),)
    f = tf.function(lambda x: net(x, training=False))
    tf2onnx.convert.from_function(f, input_signature=spec, opset=15, output_path=name + ".onnx", **kw)
    clean(name + ".onnx")
    n = 2
    x = values(n * size * size * c, seed).reshape(n, size, size, c)
    reference = logits or net
    with tf.GradientTape() as tape:
        v = tf.constant(x)
        tape.watch(v)
        y = reference(v, training=False)
        w = tf.reshape(tf.constant(values(int(np.prod(y.shape)), seed + 1)), y.shape)
        total = tf.reduce_sum(y * w)
    return x, y.numpy(), tape.gradient(total, v).numpy(), seed


def randomize(net, seed):
    rng = np.random.default_rng(seed)
    for layer in net.layers:
        ws = []
        for w in layer.get_weights():
            if w.ndim > 1:
                ws.append(rng.normal(size=w.shape, scale=(2 / np.prod(w.shape[:-1])) ** 0.5))
            else:
                ws.append(w + 0.1 * rng.uniform(size=w.shape))
        layer.set_weights(ws)


def small():
    import tensorflow as tf
    L = tf.keras.layers
    tf.keras.utils.set_random_seed(1)
    i = tf.keras.Input((16, 16, 3))
    x = L.Conv2D(8, 3, strides=2, padding="same")(i)
    x = L.BatchNormalization()(x)
    x = L.ReLU(6.0)(x)
    x = L.DepthwiseConv2D(3, strides=2, padding="same")(x)
    x = L.LeakyReLU(negative_slope=0.1)(x)
    x = L.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = L.MaxPooling2D(2, padding="same")(x)
    x = L.Conv2D(12, 2, dilation_rate=1, padding="same", activation="swish")(x)
    x = L.AveragePooling2D(2, strides=1, padding="same")(x)
    x = L.Flatten()(x)
    x = L.Dense(16, activation="gelu")(x)
    z = L.Dense(5)(x)
    net = tf.keras.Model(i, L.Softmax()(z))
    randomize(net, 1)
    write("keras_tf2onnx", *keras(net, "keras_tf2onnx", 16, 40, logits=tf.keras.Model(i, z)))
    os.rename("keras_tf2onnx.json", "keras.json")
    keras(net, "keras_nchw", 16, 40, inputs_as_nchw=["image"])
    sklearn()


def sklearn():
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.datasets import load_digits
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    n, seed = 3, 50
    x = values(n * 64, seed).reshape(n, 8, 8, 1)
    for name, model in dict(logistic=LogisticRegression(max_iter=300), mlp=MLPClassifier((16,), max_iter=60, random_state=1),
                            scaled=make_pipeline(StandardScaler(), MLPClassifier((12,), max_iter=60, random_state=2))).items():
        model.fit(images, labels)
        zipped = name == "logistic"
        m = to_onnx(model, images[:1], options={id(model): {"zipmap": zipped}})
        with open(f"sklearn_{name}.onnx", "wb") as f:
            f.write(m.SerializeToString())
        y, last, scale = x.reshape(n, 64).astype(np.float64), model, 1
        if name == "scaled":
            s, last = model[0], model[1]
            scale = 1 / s.scale_
            y = (y - s.mean_) * scale
        weight = values(n * 10, seed + 1).astype(np.float64).reshape(n, 10)
        if name == "logistic":
            y = y @ last.coef_.T + last.intercept_
            g = weight @ last.coef_
        else:
            (w0, w1), (b0, b1) = last.coefs_, last.intercepts_
            h = np.maximum(y @ w0 + b0, 0)
            y = h @ w1 + b1
            g = (weight @ w1.T * (h > 0)) @ w0.T * scale
        p = np.exp(y - y.max(1, keepdims=True))
        assert np.allclose(p / p.sum(1, keepdims=True), model.predict_proba(x.reshape(n, 64)), atol=1e-5)
        write(f"sklearn_{name}", x, y, g, seed)


def large(folder):
    import tensorflow as tf
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    A = tf.keras.applications
    for i, name in enumerate(["MobileNetV2", "ResNet50", "EfficientNetB0", "DenseNet121", "MobileNetV3Small", "Xception"]):
        tf.keras.utils.set_random_seed(i)
        size = 96
        args = dict(include_preprocessing=False) if name.startswith("MobileNetV3") else {}
        net = getattr(A, name)(weights=None, input_shape=(size, size, 3), classifier_activation=None, **args)
        write(name, *keras(net, name + "_tf2onnx", size, 60 + i))
        print(name, flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        large(sys.argv[1])
    else:
        small()
