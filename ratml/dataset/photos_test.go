package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// plain encodes an image of one colour as PNG.
func plain(t testing.TB, height, width int, grey uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = grey
	}
	var out bytes.Buffer
	require.NoError(t, png.Encode(&out, img))
	return out.Bytes()
}

// fromPython returns files of testdata/photos.
func fromPython(t testing.TB, names ...string) folder {
	t.Helper()
	f := folder{}
	for _, n := range names {
		content, err := os.ReadFile(filepath.Join("testdata/photos", filepath.Base(n)))
		require.NoError(t, err)
		f[n] = content
	}
	return f
}

// greys returns the level of grey of the first pixel of every image, and the labels.
func greys(t testing.TB, s Set) (levels, labels []int) {
	t.Helper()
	require.NotNil(t, s)
	image := make([]float32, s.Shape().Size())
	for i := range s.Len() {
		label, err := s.Read(i, image)
		require.NoError(t, err)
		levels = append(levels, int(image[0]*255+0.5))
		labels = append(labels, label)
	}
	known, err := Labels(s)
	require.NoError(t, err)
	require.Equal(t, labels, known)
	return levels, labels
}

func TestImageNetArchives(t *testing.T) {
	dir := t.TempDir()
	fromPython(t, "ILSVRC2012_img_val.tar", "ILSVRC2012_img_train.tar", "ILSVRC2012_devkit_t12.tar.gz").under("imagenet").write(t, dir)
	data, err := Open("imagenet", Config{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, []string{"n01440764", "n02119789", "n04037443"}, data.Test.Classes())
	_, labels := greys(t, data.Test)
	require.Equal(t, []int{0, 2, 1, 0}, labels)
	_, labels = greys(t, data.Train)
	require.Equal(t, []int{0, 0, 1, 1, 2, 2}, labels)
	require.Equal(t, Shape{224, 224, 3}, data.Train.Shape())
	pixels := make([]float32, data.Test.Shape().Size())
	for i, name := range []string{"val_1.png", "val_2.png"} {
		_, err := data.Test.Read(i, pixels)
		require.NoError(t, err)
		want, err := png.Decode(bytes.NewReader(fromPython(t, name)[name]))
		require.NoError(t, err)
		for at := range 28 * 28 {
			for c := range 3 {
				mean := float32(0)
				for k := range 64 {
					mean += pixels[((at/28*8+k/8)*224+at%28*8+k%8)*3+c] * 255 / 64
				}
				r, g, b, _ := want.At(at%28, at/28).RGBA()
				require.InDelta(t, float64([]uint32{r, g, b}[c]>>8), mean, 3, "%s: pixel %d", name, at)
			}
		}
	}
}

func TestImageNetFolders(t *testing.T) {
	dir := t.TempDir()
	f := folder{"n1/b.JPEG": plain(t, 300, 260, 1), "n1/a.JPEG": plain(t, 30, 20, 2), "n2/c.JPEG": plain(t, 9, 9, 3), "n2/readme.txt": nil}
	f.under("imagenet/val").write(t, dir)
	t.Setenv(rootVariable, dir)
	data, err := Open("imagenet", Config{})
	require.NoError(t, err)
	levels, labels := greys(t, data.Test)
	require.Equal(t, []int{2, 1, 3}, levels)
	require.Equal(t, []int{0, 0, 1}, labels)
	_, err = data.Training()
	require.ErrorIs(t, err, fs.ErrNotExist)

	folder{"n0/x.png": plain(t, 8, 8, 9), "n1/y.png": plain(t, 8, 8, 8)}.under("imagenet/train").write(t, dir)
	data, err = Open("imagenet", Config{Preprocess: Preprocess{Resize: 8, Crop: 6}})
	require.NoError(t, err)
	require.Equal(t, []string{"n0", "n1", "n2"}, data.Test.Classes())
	_, labels = greys(t, data.Test)
	require.Equal(t, []int{1, 1, 2}, labels)
	levels, labels = greys(t, data.Train)
	require.Equal(t, []int{9, 8}, levels)
	require.Equal(t, []int{0, 1}, labels)
	require.Equal(t, Shape{6, 6, 3}, data.Train.Shape())
}

func TestImageNetFaults(t *testing.T) {
	dir := t.TempDir()
	fromPython(t, "ILSVRC2012_img_val.tar").write(t, dir)
	_, err := Open("imagenet", Config{Dir: dir})
	require.ErrorContains(t, err, "development kit")
	broken := folder{"val/n1/a.JPEG": plain(t, 9, 9, 1), "val/n1/b.JPEG": plain(t, 9, 9, 1)[:40]}
	dir = t.TempDir()
	broken.write(t, dir)
	data, err := Open("imagenet", Config{Dir: dir})
	require.NoError(t, err)
	_, err = data.Test.Read(1, make([]float32, data.Test.Shape().Size()))
	require.ErrorContains(t, err, filepath.Join(dir, "val", "n1", "b.JPEG"))
	folder{"val/n3/readme.txt": nil}.write(t, dir)
	_, err = Open("imagenet", Config{Dir: dir})
	require.ErrorContains(t, err, "no images in the folder of a class")
}

func TestPhotographSets(t *testing.T) {
	a, b, c := plain(t, 12, 10, 10), plain(t, 10, 12, 20), plain(t, 10, 10, 30)
	half := folder{"train/k1/a.jpg": a, "train/k2/b.jpg": b, "test/k1/c.jpg": c}
	cub := folder{
		"images/001.A/a.jpg": a, "images/002.B/b.jpg": b, "images/002.B/c.jpg": c, "classes.txt": []byte("1 001.A\n2 002.B\n"),
		"images.txt": []byte("1 001.A/a.jpg\n2 002.B/b.jpg\n3 002.B/c.jpg\n"), "image_class_labels.txt": []byte("1 1\n2 2\n3 2\n"),
		"train_test_split.txt": []byte("1 1\n2 0\n3 1\n"),
	}
	places := folder{
		"categories_places365.txt": []byte("/a/airfield 0\n/b/bar/inside 1\n"), "places365_val.txt": []byte("v2.jpg 1\nv1.jpg 0\n"),
		"val_256/v1.jpg": a, "val_256/v2.jpg": b, "places365_train_standard.txt": []byte("/b/bar/inside/x.jpg 1\n"), "data_256_standard/b/bar/inside/x.jpg": c,
	}
	tiny := folder{
		"wnids.txt": []byte("n2\nn1\n"), "train/n1/images/x.JPEG": a, "train/n2/images/y.JPEG": a,
		"val/images/v0.JPEG": c, "val/images/v1.JPEG": c, "val/val_annotations.txt": []byte("v1.JPEG\tn2\t0\t0\t62\t62\nv0.JPEG\tn1\t0\t0\t62\t62\n"),
	}
	corruptions := folder{}
	for i, name := range append(slices.Clone(commonCorruptions), extraCorruptions...) {
		for level := 1; level <= 5; level++ {
			corruptions[fmt.Sprintf("%s/%d/n1/a.JPEG", name, level)] = plain(t, 9, 9, uint8(10*i+level))
		}
	}
	small := Preprocess{Resize: 8, Crop: 8}
	for _, k := range []struct {
		title, set          string
		files               folder
		how                 Preprocess
		classes             []string
		train, trainLabels  []int
		test, testLabels    []int
		missing             string
		height, width, deep int
	}{
		{title: "official", set: "cub", files: half.under("CUB"), how: small, classes: []string{"k1", "k2"}, train: []int{10, 20}, trainLabels: []int{0, 1}, test: []int{30}, testLabels: []int{0}},
		{title: "as distributed", set: "cub200", files: cub.under("CUB_200_2011"), how: small, classes: []string{"001.A", "002.B"}, train: []int{10, 30}, trainLabels: []int{0, 1}, test: []int{20}, testLabels: []int{1}},
		{title: "lists", set: "places365", files: places.under("places365"), how: small, classes: []string{"airfield", "bar/inside"}, train: []int{30}, trainLabels: []int{1}, test: []int{20, 10}, testLabels: []int{1, 0}},
		{title: "folders", set: "places365", files: folder{"places365/val_256/k/a.jpg": a}, how: small, classes: []string{"k"}, test: []int{10}, testLabels: []int{0}, missing: "train"},
		{title: "distributed", set: "tiny_imagenet", files: tiny.under("tiny-imagenet-200"), how: small, classes: []string{"n1", "n2"}, train: []int{10, 10}, trainLabels: []int{0, 1}, test: []int{30, 30}, testLabels: []int{1, 0}},
		{title: "halves", set: "folder", files: half, how: small, classes: []string{"k1", "k2"}, train: []int{10, 20}, trainLabels: []int{0, 1}, test: []int{30}, testLabels: []int{0}},
		{title: "classes", set: "folder", files: folder{"k1/a.jpg": a, "k2/deep/b.png": b}, how: small, classes: []string{"k1", "k2"}, test: []int{10, 20}, testLabels: []int{0, 1}, missing: "train"},
		{title: "no labels", set: "folder", files: folder{"b.bmp.png": b, "a.jpg": a}, how: small, classes: []string{"unlabelled"}, test: []int{10, 20}, testLabels: []int{0, 0}, missing: "train"},
		{title: "one", set: "imagenetc:fog:3", files: corruptions.under("corrupt_imagenet"), how: small, classes: []string{"n1"}, test: []int{93}, testLabels: []int{0}, missing: "imagenet"},
		{title: "all severities", set: "imagenet_c:gaussian_blur", files: corruptions, how: small, classes: []string{"n1"}, test: []int{181, 182, 183, 184, 185}, testLabels: []int{0, 0, 0, 0, 0}, missing: "imagenet"},
		{title: "names", set: "csv:list.csv", files: folder{"list.csv": []byte("path,label,split\nx/a.jpg,dog,train\nb.jpg,cat,test\nc.jpg,dog,test\n"), "x/a.jpg": a, "b.jpg": b, "c.jpg": c}, how: small, classes: []string{"cat", "dog"}, train: []int{10}, trainLabels: []int{1}, test: []int{20, 30}, testLabels: []int{0, 1}},
		{title: "numbers", set: "csv:list.csv", files: folder{"list.csv": []byte("\"a,1.jpg\",2\r\nb.jpg,0"), "a,1.jpg": a, "b.jpg": b}, how: small, classes: []string{"0", "1", "2"}, test: []int{10, 20}, testLabels: []int{2, 0}, missing: "list.csv"},
		{title: "halves", set: "csv", files: folder{"train.csv": []byte("a.jpg,1"), "test.csv": []byte("b.jpg,0"), "a.jpg": a, "b.jpg": b}, how: small, classes: []string{"0", "1"}, train: []int{10}, trainLabels: []int{1}, test: []int{20}, testLabels: []int{0}},
	} {
		t.Run(k.set+" "+k.title, func(t *testing.T) {
			dir := t.TempDir()
			k.files.write(t, dir)
			data, err := Open(k.set, Config{Dir: dir, Preprocess: k.how})
			require.NoError(t, err)
			require.Equal(t, k.classes, data.Test.Classes())
			levels, labels := greys(t, data.Test)
			require.Equal(t, k.test, levels)
			require.Equal(t, k.testLabels, labels)
			if k.train == nil {
				_, err := data.Training()
				require.ErrorContains(t, err, k.missing)
			} else {
				require.Equal(t, k.classes, data.Train.Classes())
				levels, labels = greys(t, data.Train)
				require.Equal(t, k.train, levels)
				require.Equal(t, k.trainLabels, labels)
			}
			found, err := Find(k.set, Config{Dir: dir})
			require.NoError(t, err)
			require.Equal(t, data.Source, found)
		})
	}
}

func TestCorruptedCIFAR(t *testing.T) {
	dir := t.TempDir()
	fromPython(t, "fog.npy", "frost.npy", "labels.npy").under("corrupt_cifar10/CIFAR-C").write(t, dir)
	fog := fromPython(t, "fog.npy")["fog.npy"][128:]
	for _, k := range []struct {
		name  string
		first int // image
		n     int
	}{{"cifar10c:fog", 0, 10}, {"cifar10_c:fog:1", 0, 2}, {"cifar10c:fog:5", 8, 2}} {
		data, err := Open(k.name, Config{Dir: dir})
		require.NoError(t, err)
		pixels, labels := readAll(t, data.Test)
		require.Equal(t, slices.Repeat([]int{3, 7}, k.n/2), labels)
		for i, v := range pixels {
			require.Equal(t, float32(fog[k.first*3072+i])/255, v)
		}
	}
	_, err := Open("cifar10c", Config{Dir: dir})
	require.ErrorContains(t, err, "gaussian_noise.npy")
	for name, want := range map[string]string{"cifar10c:mist": `corruption "mist", want one of gaussian_noise`, "cifar10c:fog:6": `severity "6", want 1 to 5`, "cifar10c:0": `severity "0"`} {
		_, err := Open(name, Config{Dir: dir})
		require.ErrorContains(t, err, want)
	}
}

func TestNPZ(t *testing.T) {
	dir := t.TempDir()
	fromPython(t, "bytes.npz", "planes.npz", "floats.npz", "grey.npz").write(t, dir)
	small := fromPython(t, "small.npy")["small.npy"][128:]
	for _, k := range []struct {
		file    string
		train   bool
		test    int
		shape   Shape
		classes []string
	}{
		{"bytes.npz", false, 5, Shape{6, 7, 3}, []string{"0", "1", "2"}},
		{"planes.npz", false, 5, Shape{6, 7, 3}, []string{"0", "1", "2"}},
		{"floats.npz", true, 2, Shape{6, 7, 3}, []string{"0", "1", "2"}},
		{"grey.npz", false, 5, Shape{6, 7, 1}, []string{"unlabelled"}},
	} {
		t.Run(k.file, func(t *testing.T) {
			data, err := Open("npz:"+k.file, Config{Dir: dir})
			require.NoError(t, err)
			require.Equal(t, k.classes, data.Test.Classes())
			require.Equal(t, k.shape, data.Test.Shape())
			for _, s := range []Set{data.Train, data.Test} {
				if s == nil {
					require.False(t, k.train)
					continue
				}
				pixels, labels := readAll(t, s)
				for i, v := range pixels {
					at := i
					if k.shape.Channels == 1 {
						at = 3 * i
					}
					require.InDelta(t, float64(small[at])/255, v, 1e-7)
				}
				if len(k.classes) > 1 {
					require.Equal(t, []int{0, 1, 2, 0, 1}[:s.Len()], labels)
				}
			}
			require.Equal(t, k.test, data.Test.Len())
		})
	}
	data, err := Open("npz:"+filepath.Join(dir, "bytes.npz"), Config{Preprocess: Preprocess{Resize: 12, Crop: 8}})
	require.NoError(t, err)
	require.Equal(t, Shape{8, 8, 3}, data.Test.Shape())
	_, err = Open("npz:"+filepath.Join(dir, "floats.npz"), Config{Preprocess: Preprocess{Resize: 12, Crop: 8}})
	require.ErrorContains(t, err, "store them as bytes")
}

func TestPack(t *testing.T) {
	dir := t.TempDir()
	cifarFolder().write(t, dir)
	data, err := Open("cifar10", Config{Dir: dir})
	require.NoError(t, err)
	out := filepath.Join(dir, "new", "packed")
	last := 0
	require.NoError(t, Pack(t.Context(), data, Preprocess{}, out, func(done, total int) {
		require.Equal(t, 13, total)
		require.Greater(t, done, last)
		last = done
	}))
	require.Equal(t, 13, last)
	again, err := Open("packed:"+out, Config{})
	require.NoError(t, err)
	checkCIFARFolder(t, again)
	resized, err := Open("packed", Config{Dir: out, Preprocess: Preprocess{Resize: 16, Crop: 16}})
	require.NoError(t, err)
	require.Equal(t, Shape{16, 16, 3}, resized.Test.Shape())

	// What is packed after preprocessing is not preprocessed again.
	how := Preprocess{Resize: 24, Crop: 16}
	resized, err = Open("cifar10", Config{Dir: dir, Preprocess: how})
	require.NoError(t, err)
	require.NoError(t, Pack(t.Context(), resized, how, out, nil))
	again, err = Open("packed:"+out, Config{Preprocess: how})
	require.NoError(t, err)
	want, _ := readAll(t, resized.Train)
	got, _ := readAll(t, again.Train)
	require.Equal(t, want, got)
	_, err = Open("packed:"+out, Config{Preprocess: Preprocess{Resize: 20, Crop: 16}})
	require.ErrorContains(t, err, "packed after resize 24 bilinear, crop 16")

	// A packing that is broken off leaves nothing that could be taken for a whole one.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, Pack(ctx, data, Preprocess{}, out, nil), context.Canceled)
	_, err = Open("packed:"+out, Config{})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// The lists of a data set name the line at fault.
func TestListFaults(t *testing.T) {
	img := plain(t, 9, 9, 1)
	cub := folder{
		"images/A/a.jpg": img, "classes.txt": []byte("1 A\n"), "images.txt": []byte("1 A/a.jpg\n2 A/a.jpg\n"),
		"image_class_labels.txt": []byte("1 1\n2 1\n"), "train_test_split.txt": []byte("1 1\n2 0\n"),
	}
	places := folder{"categories_places365.txt": []byte("/a/x 0\n"), "places365_val.txt": []byte("a.jpg 0\n"), "val_256/a.jpg": img}
	tiny := folder{"wnids.txt": []byte("n1\n"), "val/images/a.JPEG": img, "val/val_annotations.txt": []byte("a.JPEG\tn1\t0 0 1 1\n")}
	for set, files := range map[string]folder{"cub": cub.under("CUB"), "places365": places, "tiny_imagenet": tiny} {
		dir := t.TempDir()
		files.write(t, dir)
		_, err := Open(set, Config{Dir: dir})
		require.NoError(t, err)
	}
	csvFile := func(text string) folder { return folder{"test.csv": []byte(text), "a.jpg": img} }
	for _, k := range []struct {
		set, file string
		files     folder
		content   string
		offset    int64
		want      string
	}{
		{"cub", "CUB/image_class_labels.txt", cub.under("CUB"), "1 1\n2 3\n", 4, `"3", want a number from 1 to 1`},
		{"cub", "CUB/image_class_labels.txt", cub.under("CUB"), "1 1\n", 0, "1 lines, want 2"},
		{"cub", "CUB/train_test_split.txt", cub.under("CUB"), "1 1\n3 0\n", 4, `image "3", want 2`},
		{"cub", "CUB/images.txt", cub.under("CUB"), "1 A/a.jpg\n2 ../../a.jpg\n", 10, "outside the folder"},
		{"cub", "CUB/images.txt", cub.under("CUB"), "1\n", 0, "want 2 fields"},
		{"places365", "places365_val.txt", places, "a.jpg 1\n", 0, `"1", want a number from 0 to 0`},
		{"places365", "places365_val.txt", places, "../a.jpg 0\n", 0, "outside the folder"},
		{"places365", "categories_places365.txt", places, "", 0, "no lines"},
		{"tiny_imagenet", "val/val_annotations.txt", tiny, "a.JPEG\tn1\t0\na.JPEG\tn2\t0\n", 12, `class "n2" is none of wnids.txt`},
		{"csv", "test.csv", csvFile(""), "a.jpg,0\n../b.jpg,1\n", 8, "outside the folder"},
		{"csv", "test.csv", csvFile(""), "a.jpg,0\na.jpg\n", 8, "wrong number of fields"},
		{"csv", "test.csv", csvFile(""), "a.jpg,-1\n", 0, "label -1"},
		{"csv", "test.csv", csvFile(""), "a.jpg,0,some\n", 0, `split "some"`},
		{"csv", "test.csv", csvFile(""), "a.jpg,\"0\n", 0, "line 1"},
	} {
		t.Run(k.file+" "+k.want, func(t *testing.T) {
			dir := t.TempDir()
			k.files.with(k.file, []byte(k.content)).write(t, dir)
			_, err := Open(k.set, Config{Dir: dir})
			require.ErrorContains(t, err, k.want)
			var format *FormatError
			require.ErrorAs(t, err, &format)
			require.Equal(t, filepath.Join(dir, k.file), format.File)
			require.Equal(t, k.offset, format.Offset)
		})
	}
}

func TestPhotosDamaged(t *testing.T) {
	dir := t.TempDir()
	fromPython(t, "ILSVRC2012_img_val.tar", "ILSVRC2012_img_train.tar", "ILSVRC2012_devkit_t12.tar.gz", "fog.npy", "labels.npy", "bytes.npz", "planes.npz", "floats.npz").write(t, dir)
	for set, files := range map[string][]string{
		"imagenet":       {"ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12.tar.gz"},
		"cifar10c:fog":   {"fog.npy", "labels.npy"},
		"npz:bytes.npz":  {"bytes.npz"},
		"npz:planes.npz": {"planes.npz"},
		"npz:floats.npz": {"floats.npz"},
	} {
		for _, f := range files {
			t.Run(f, func(t *testing.T) { damage(t, set, dir, f) })
		}
	}
}

// Images of more than one size are an error that says what to do.
func TestFolderOfSizes(t *testing.T) {
	dir := t.TempDir()
	folder{"a.png": plain(t, 8, 8, 1), "b.png": plain(t, 8, 9, 1)}.write(t, dir)
	data, err := Open("folder:"+dir, Config{})
	require.NoError(t, err)
	_, err = data.Test.Read(1, make([]float32, data.Test.Shape().Size()))
	require.ErrorContains(t, err, "image 1 is 8x9x3, the first is 8x8x3")
	_, err = Open("folder", Config{})
	require.ErrorContains(t, err, "after a colon")
	_, err = Open("folder:"+t.TempDir(), Config{})
	require.True(t, errors.Is(err, fs.ErrNotExist), "%v", err)
}

// The random part of a stored image comes from all of it, at the size it has on disk, depends on the loader's seed alone, and
// Read is as without.
func TestCropStored(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 300, 100))
	for x := range 300 {
		for y := range 100 {
			img.Set(x, y, color.RGBA{uint8(x / 2), uint8(y), 0, 255})
		}
	}
	var encoded bytes.Buffer
	require.NoError(t, jpeg.Encode(&encoded, img, &jpeg.Options{Quality: 100}))
	dir := t.TempDir()
	f := folder{}
	for i := range 40 {
		f[fmt.Sprintf("k/%02d.jpg", i)] = encoded.Bytes()
	}
	f.write(t, dir)
	data, err := Open("folder:"+dir, Config{Preprocess: Preprocess{Resize: 20, Crop: 16}})
	require.NoError(t, err)
	set, ok, err := CropStored(Take(data.Test, 32), Range{0.05, 0.1}, Range{})
	require.NoError(t, err)
	require.True(t, ok)
	want, _ := readAll(t, Take(data.Test, 32))
	got, _ := readAll(t, set)
	require.Equal(t, want, got)

	epoch := func(workers, seed int) (left []int) {
		l := Loader{Set: set, BatchSize: 8, Workers: workers, Seed: uint64(seed)}
		for b, err := range l.Epoch(t.Context(), 0) {
			require.NoError(t, err)
			for i := range b.N {
				left = append(left, int(b.Images[i*16*16*3]*255))
			}
		}
		return left
	}
	first := epoch(1, 1)
	require.Equal(t, first, epoch(3, 1))
	require.NotEqual(t, first, epoch(1, 2))
	// In the middle square that Read sees, red is from 50 to 100.
	require.Less(t, slices.Min(first), 40)
	require.Greater(t, slices.Max(first), 105)
	_, ok, err = CropStored(tinyImages(t, 3), Range{}, Range{})
	require.NoError(t, err)
	require.False(t, ok)
	_, _, err = CropStored(data.Test, Range{0.5, 2}, Range{})
	require.ErrorContains(t, err, "areas from 0.5 to 2")
}
