package nets_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/nets"
)

// TestParamCount compares with the published numbers: pytorchcv's for its models.
func TestParamCount(t *testing.T) {
	for name, want := range map[string]int{
		"wrn28_10_cifar10":  36479194,
		"wrn28_10_cifar100": 36536884,
		"wrn28_10_svhn":     36479194,
		"wrn16_10_cifar10":  17116634,
		"wrn16_10_cifar100": 17174324,
		"wrn40_8_cifar10":   35748314,
		"wrn10_1_cifar10":   77850,
		"wrn16_1_cifar10":   175066,
		"wrn16_2_cifar10":   691674,
		"smallcnn_mnist":    9*16 + 2*16 + 9*16*32 + 2*32 + 9*32*64 + 2*64 + 64*10 + 10,
	} {
		if got := lookup(t, name).ParamCount(); got != want {
			t.Errorf("%s has %d parameters, want %d", name, got, want)
		}
	}
}

// TestStateDict compares all names and shapes with those of pytorchcv's wrn28_10_cifar10, in the order of its
// state_dict.
func TestStateDict(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "wrn28_10_cifar10.json"))
	if err != nil {
		t.Fatal(err)
	}
	var entries [][2]any
	if err := json.Unmarshal(text, &entries); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, e := range entries {
		if name := e[0].(string); !strings.HasSuffix(name, ".num_batches_tracked") {
			want = append(want, fmt.Sprint(name, " ", e[1]))
		}
	}
	if len(want) != 130 {
		t.Fatalf("%d names in the file, want 130", len(want))
	}
	var got []string
	for _, p := range lookup(t, "wrn28_10_cifar10").Params {
		got = append(got, fmt.Sprint(p.Name, " ", p.Shape))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestNames(t *testing.T) {
	names := nets.Names()
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("not sorted or not unique: %v", names)
	}
	for _, want := range []string{"wrn28_10_cifar10", "wrn16_10_cifar100", "wrn10_1_svhn", "smallcnn_mnist", "smallcnn_fashion_mnist"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not listed", want)
		}
	}
	list, err := nets.List()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(names) {
		t.Fatalf("%d descriptions of %d names", len(list), len(names))
	}
	for i, name := range names {
		a, err := nets.Lookup(name)
		if err != nil {
			t.Error(err)
			continue
		}
		want := nets.Info{Name: name, Input: a.Input, Classes: a.Classes, Mean: a.Mean, Std: a.Std, Params: a.ParamCount()}
		if !reflect.DeepEqual(list[i], want) {
			t.Errorf("%+v, want %+v", list[i], want)
		}
		if len(a.Mean) != a.Input.Channels || len(a.Std) != a.Input.Channels || a.ParamCount() == 0 {
			t.Errorf("%+v is incomplete", list[i])
		}
	}
}

func TestListed(t *testing.T) {
	list, err := nets.List()
	if err != nil {
		t.Fatal(err)
	}
	mean, std := []float32{.4914, .4822, .4465}, []float32{.2023, .1994, .2010}
	for _, want := range []nets.Info{
		{"wrn28_10_cifar100", nets.Input{Height: 32, Width: 32, Channels: 3}, 100, mean, std, 36536884},
		{"wrn10_1_svhn", nets.Input{Height: 32, Width: 32, Channels: 3}, 10, mean, std, 77850},
		{"smallcnn_mnist", nets.Input{Height: 28, Width: 28, Channels: 1}, 10, []float32{.1307}, []float32{.3081}, 24058},
	} {
		if i := slices.IndexFunc(list, func(got nets.Info) bool { return reflect.DeepEqual(got, want) }); i < 0 {
			t.Errorf("%+v is not listed", want)
		}
	}
}

func TestLookupErrors(t *testing.T) {
	for name, want := range map[string]string{
		"":                  "unknown architecture \"\"; known are\n\twrn<depth>_<width>[_dropout<percent>]_{cifar10,cifar100,svhn}\n\t",
		"resnet":            `unknown architecture "resnet"`,
		"wrn28_10":          "unknown architecture",
		"wrn28_10_imagenet": "unknown architecture",
		"wrn28_10_cifar10 ": "unknown architecture",
		"xwrn28_10_cifar10": "unknown architecture",
		"wrn-28_10_cifar10": "unknown architecture",
		"smallcnn_cifar10":  "unknown architecture",
		"wrn29_10_cifar10":  "depth must be 10, 16, 22, 28",
		"wrn4_10_cifar10":   "depth must be",
		"wrn0_10_cifar10":   "depth must be",
		"wrn28_0_cifar10":   "width at least 1",
		"wrn1000_1_cifar10": "unknown architecture",

		"resnet21_cifar10":                   "depth must be 8, 14, 20",
		"resnet20bn_svhn_":                   "unknown architecture",
		"resnet19bn_svhn":                    "11bn, 20bn, 29bn",
		"preresnet2_cifar10":                 "depth must be 8",
		"resnet1208_cifar10":                 "at most 1202",
		"resnext28_4x4d_cifar10":             "depth must be 11, 20, 29",
		"resnext29_0x4d_cifar10":             "groups and their width at least 1",
		"densenet41_k12_cifar10":             "depth must be 7, 10, 13",
		"densenet37_k12_bc_cifar10":          "with bc 10, 16, 22",
		"densenet40_k0_cifar10":              "growth at least 1",
		"openmix_resnet110_svhn":             "unknown architecture",
		"openmix_resnet111_cifar10":          "6n+2 for resnet",
		"openmix_resnet110_2_cifar10":        "6n+2 for resnet",
		"openmix_wrn28_cifar10":              "with a width",
		"openmix_densenet_bc_100_0_cifar100": "with a width or growth",
		"openmix_densenet_bc_101_9_cifar100": "6n+4",
		"resnet51":                           "resnet50|resnet101",
	} {
		a, err := nets.Lookup(name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, error %v, want %q", name, a, err, want)
		}
		if _, newErr := nets.New(nil, name, 1); newErr == nil || err != nil && newErr.Error() != err.Error() {
			t.Errorf("%q: New fails with %v, Lookup with %v", name, newErr, err)
		}
	}
}
