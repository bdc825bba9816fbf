package dataset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/sbinet/npyio/npz"
	"github.com/stretchr/testify/require"
)

// written returns what testdata/sets.py noted under the key.
func written[T any](t testing.TB, key string) []T {
	t.Helper()
	r, err := npz.Open("testdata/sets/expected.npz")
	require.NoError(t, err)
	defer r.Close()
	var v []T
	require.NoError(t, r.Read(key+".npy", &v), key)
	return v
}

// copied puts files of testdata/sets into a folder of its own.
func copied(t testing.TB, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, n := range names {
		content, err := os.ReadFile(filepath.Join("testdata/sets", n))
		require.NoError(t, err)
		folder{path.Base(n): content}.write(t, dir)
	}
	return dir
}

// unpacked puts the files of an archive of testdata/sets into a folder of its own.
func unpacked(t testing.TB, name string) (dir string) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata/sets", name))
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	files := folder{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		files[h.Name], err = io.ReadAll(r)
		require.NoError(t, err)
	}
	dir = t.TempDir()
	files.write(t, dir)
	return dir
}

// equalSet verifies that the set is what testdata/sets.py noted, all parts one after the other.
func equalSet(t testing.TB, s Set, labels string, parts ...string) {
	t.Helper()
	var pixels []uint8
	var want []int
	for _, p := range parts {
		pixels = append(pixels, written[uint8](t, p+"_x")...)
		for _, l := range written[int64](t, p+labels) {
			want = append(want, int(l))
		}
	}
	require.NotNil(t, s)
	got, read := readAll(t, s)
	require.Equal(t, want, read)
	known, err := Labels(s)
	require.NoError(t, err)
	require.Equal(t, want, known)
	require.Len(t, got, len(pixels))
	for i, p := range pixels {
		if got[i] != float32(p)/255 {
			t.Fatalf("value %d is %v, want %d/255", i, got[i], p)
		}
	}
}

func TestOfficialFiles(t *testing.T) {
	cifar10Train := []string{"cifar10_0", "cifar10_1", "cifar10_2", "cifar10_3", "cifar10_4"}
	hundredTrain, hundredTest := []string{"cifar100_train"}, []string{"cifar100_test"}
	archives := []string{"cifar-10-python.tar.gz", "cifar-10-binary.tar.gz", "cifar-100-python.tar.gz", "cifar-100-binary.tar.gz"}
	digits := []string{"train_32x32.mat", "test_32x32.mat", "extra_32x32.mat"}
	for _, c := range []struct {
		title, set, dir string
		labels          string
		train, test     []string
		classes         int
	}{
		{"python archive", "cifar10", copied(t, archives[0]), "_y", cifar10Train, []string{"cifar10_5"}, 10},
		{"binary archive", "cifar10", copied(t, archives[1]), "_y", cifar10Train, []string{"cifar10_5"}, 10},
		{"python", "cifar10", unpacked(t, archives[0]), "_y", cifar10Train, []string{"cifar10_5"}, 10},
		{"binary", "cifar10", unpacked(t, archives[1]), "_y", cifar10Train, []string{"cifar10_5"}, 10},
		{"python archive", "cifar100", copied(t, archives[2]), "_y", hundredTrain, hundredTest, 100},
		{"binary archive", "cifar100", copied(t, archives[3]), "_y", hundredTrain, hundredTest, 100},
		{"python", "cifar100", unpacked(t, archives[2]), "_y", hundredTrain, hundredTest, 100},
		{"binary", "cifar100", unpacked(t, archives[3]), "_y", hundredTrain, hundredTest, 100},
		{"python", "cifar100:coarse", unpacked(t, archives[2]), "_coarse", hundredTrain, hundredTest, 20},
		{"binary", "cifar100:coarse", unpacked(t, archives[3]), "_coarse", hundredTrain, hundredTest, 20},
		{"matlab", "svhn", copied(t, digits...), "_y", []string{"svhn_train"}, []string{"svhn_test"}, 10},
		{"matlab", "svhn:extra", copied(t, digits...), "_y", []string{"svhn_train", "svhn_extra"}, []string{"svhn_test"}, 10},
	} {
		t.Run(c.set+" "+c.title, func(t *testing.T) {
			data, err := Open(c.set, Config{Dir: c.dir})
			require.NoError(t, err)
			require.Equal(t, c.set, data.Name)
			equalSet(t, data.Train, c.labels, c.train...)
			equalSet(t, data.Test, c.labels, c.test...)
			require.Len(t, data.Test.Classes(), c.classes)
			found, err := Find(c.set, Config{Dir: c.dir})
			require.NoError(t, err)
			require.Equal(t, data.Source, found)
		})
	}
}

// The official code keeps CIFAR-10 in DATASET_ROOT_DIR/cifar10 and SVHN in DATASET_ROOT_DIR/svhn, where torchvision puts
// its archives and what it unpacks.
func TestOfficialRoot(t *testing.T) {
	root := t.TempDir()
	for dir, name := range map[string]string{"cifar10": "cifar-10-python.tar.gz", "cifar100": "cifar-100-python.tar.gz", "svhn": "test_32x32.mat"} {
		content, err := os.ReadFile(filepath.Join("testdata/sets", name))
		require.NoError(t, err)
		folder{name: content}.under(dir).write(t, root)
	}
	t.Setenv(rootVariable, root)
	for _, set := range []string{"cifar10", "cifar100", "svhn"} {
		data, err := Open(set, Config{})
		require.NoError(t, err)
		require.Positive(t, data.Test.Len())
	}
}

// damage opens a data set of the files in dir with one of them cut off at every 97th byte, which must be an error, and with
// single bytes changed, which must not be a panic. Memory must stay near the file's size.
func damage(t *testing.T, set, dir, file string) {
	t.Helper()
	name := filepath.Join(dir, file)
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	open := func(content []byte) error {
		require.NoError(t, os.WriteFile(name, content, 0o666))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		data, err := Open(set, Config{Dir: dir})
		if err == nil {
			for _, s := range []Set{data.Train, data.Test} {
				if s == nil {
					continue
				}
				image := make([]float32, s.Shape().Size())
				for i := range s.Len() {
					if _, err = s.Read(i, image); err != nil {
						break
					}
				}
			}
		}
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
		return err
	}
	require.NoError(t, open(content))
	used := len(bytes.TrimRight(content, "\x00")) // beyond is padding, at most
	for n := 0; n < used; n += 97 {
		require.Error(t, open(content[:n]), "%s cut to %d of %d bytes", file, n, len(content))
	}
	require.Error(t, open(content[:used-1]), "%s without its last byte", file)
	for k := range 120 {
		bad := bytes.Clone(content)
		bad[k*len(content)/120] ^= []byte{0xff, 0x01}[k%2]
		_ = open(bad)
	}
	require.NoError(t, os.WriteFile(name, content, 0o666))
}

func TestOfficialDamaged(t *testing.T) {
	for _, c := range []struct{ set, dir, file string }{
		{"cifar10", copied(t, "cifar-10-python.tar.gz"), "cifar-10-python.tar.gz"},
		{"cifar100", copied(t, "cifar-100-binary.tar.gz"), "cifar-100-binary.tar.gz"},
		{"cifar10", unpacked(t, "cifar-10-python.tar.gz"), "cifar-10-batches-py/data_batch_1"},
		{"cifar10", unpacked(t, "cifar-10-python.tar.gz"), "cifar-10-batches-py/data_batch_3"},
		{"cifar10", unpacked(t, "cifar-10-python.tar.gz"), "cifar-10-batches-py/data_batch_5"},
		{"cifar100", unpacked(t, "cifar-100-python.tar.gz"), "cifar-100-python/test"},
		{"svhn", copied(t, "train_32x32.mat", "test_32x32.mat"), "train_32x32.mat"},
		{"svhn", copied(t, "train_32x32.mat", "test_32x32.mat"), "test_32x32.mat"},
	} {
		t.Run(c.set+" "+path.Base(c.file), func(t *testing.T) { damage(t, c.set, c.dir, c.file) })
	}
}
