package corrupt

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/ratml/rat/ratml/dataset"
)

// Severities is the number of severities of a corruption: 1 is mild, 5 is strong.
const Severities = 5

// Parameters are the numbers that the five severities of a corruption stand for.
type Parameters int

const (
	// Auto takes CIFAR where the shorter side of images has at most 64 pixels, and ImageNet otherwise.
	Auto Parameters = iota

	// ImageNet are those of ImageNet-C, meant for 224x224.
	ImageNet

	// CIFAR are those of CIFAR-10-C and CIFAR-100-C, meant for 32x32.
	CIFAR
)

// String returns the name, as in "imagenet".
func (p Parameters) String() string {
	switch p {
	case Auto:
		return "auto"
	case ImageNet:
		return "imagenet"
	case CIFAR:
		return "cifar"
	}
	return fmt.Sprintf("Parameters(%d)", int(p))
}

// UnmarshalText reads a name as String writes it.
func (p *Parameters) UnmarshalText(text []byte) error {
	for _, q := range []Parameters{Auto, ImageNet, CIFAR} {
		if string(text) == q.String() {
			*p = q
			return nil
		}
	}
	return fmt.Errorf("parameters %q, want auto, imagenet or cifar", text)
}

// Config says how images are corrupted. Name and Severity must be set.
type Config struct {
	Name       string // one of Names
	Severity   int    // in 1..Severities
	Seed       uint64
	Parameters Parameters

	// FrostDir is a folder with frost1.png, frost2.png, frost3.png, frost4.jpg and frost5.jpg of the original code, for
	// the corruption frost. Where it is empty, generated textures take their place.
	FrostDir string
}

// Names returns the names of the corruptions: the 15 of the benchmarks, then the 4 that the benchmarks keep for
// validation (speckle_noise, gaussian_blur, spatter, saturate).
func Names() []string {
	names := make([]string, len(registry))
	for i, e := range registry {
		names[i] = e.name
	}
	return names
}

// Apply returns set with every image corrupted, by the parameters that go with the size of its images.
func Apply(set dataset.Set, name string, severity int, seed uint64) (dataset.Set, error) {
	return Config{Name: name, Severity: severity, Seed: seed}.Apply(set)
}

// Apply returns set with every image corrupted when it is read. Labels and classes stay. The corruption of image i
// depends on Seed, Name, Severity and i only, besides the image. Errors are those of New.
func (c Config) Apply(set dataset.Set) (dataset.Set, error) {
	corruption, err := c.New(set.Shape())
	if err != nil {
		return nil, err
	}
	return &corrupted{set, corruption}, nil
}

// New returns the corruption of images of a shape. It is an error if the name is unknown, the severity is not in
// 1..Severities, images have neither 1 nor 3 channels or a side below 1, or a picture of frost cannot be read.
func (c Config) New(shape dataset.Shape) (*Corruption, error) {
	switch {
	case c.Severity < 1 || c.Severity > Severities:
		return nil, fmt.Errorf("corrupt: severity %d, want 1 to %d", c.Severity, Severities)
	case shape.Height < 1 || shape.Width < 1 || shape.Channels != 1 && shape.Channels != 3:
		return nil, fmt.Errorf("corrupt: images of %v, want sides of at least 1 and 1 or 3 channels", shape)
	case c.Parameters < Auto || c.Parameters > CIFAR:
		return nil, fmt.Errorf("corrupt: unknown %v", c.Parameters)
	}
	if c.Parameters == Auto {
		c.Parameters = ImageNet
		if min(shape.Height, shape.Width) <= 64 {
			c.Parameters = CIFAR
		}
	}
	for _, e := range registry {
		if e.name != c.Name {
			continue
		}
		effect, err := e.build(setting{c, shape})
		if err != nil {
			return nil, fmt.Errorf("corrupt: %s: %w", c.Name, err)
		}
		return &Corruption{c, shape, effect}, nil
	}
	return nil, fmt.Errorf("corrupt: unknown corruption %q, want one of %s", c.Name, strings.Join(Names(), ", "))
}

// A Corruption corrupts images of one shape. It is safe for concurrent use.
type Corruption struct {
	cfg    Config
	shape  dataset.Shape
	effect effect
}

// Pixels corrupts image i, whose bytes are in the order height, width, channel, in place. It is an error if they are
// not as many as the shape has.
func (c *Corruption) Pixels(i int, pixels []uint8) error {
	if len(pixels) != c.shape.Size() {
		return fmt.Errorf("corrupt: %d values, want %d for images of %v", len(pixels), c.shape.Size(), c.shape)
	}
	f := newFrame(c.shape.Height, c.shape.Width, c.shape.Channels)
	f.fromBytes(pixels)
	c.effect(f, c.draws(i))
	f.toBytes(pixels)
	return nil
}

// draws returns the random numbers of image i.
func (c *Corruption) draws(i int) source {
	key := binary.LittleEndian.AppendUint64(nil, c.cfg.Seed)
	key = binary.LittleEndian.AppendUint64(key, uint64(c.cfg.Severity))
	key = binary.LittleEndian.AppendUint64(key, uint64(i))
	key = append(key, c.cfg.Name...)
	return rand.New(rand.NewChaCha8(sha256.Sum256(key)))
}

// A source yields random numbers, as rand.Rand does.
type source interface {
	Float64() float64     // uniform in [0,1)
	NormFloat64() float64 // standard normal
	IntN(n int) int       // uniform in [0,n)
}

// between returns a number that is uniform in [low,high).
func between(low, high float64, draws source) float64 { return low + (high-low)*draws.Float64() }

// An effect corrupts an image in place.
type effect func(f *frame, draws source)

// setting is what an effect is made for. Its Parameters are not Auto.
type setting struct {
	Config
	shape dataset.Shape
}

// pick returns the parameter of the severity.
func pick[T any](s setting, imagenet, cifar [Severities]T) T {
	if s.Parameters == CIFAR {
		return cifar[s.Severity-1]
	}
	return imagenet[s.Severity-1]
}

// registry are all corruptions, in the order of the benchmarks.
var registry = []struct {
	name  string
	build func(setting) (effect, error)
}{
	{"gaussian_noise", gaussianNoise},
	{"shot_noise", shotNoise},
	{"impulse_noise", impulseNoise},
	{"defocus_blur", defocusBlur},
	{"glass_blur", glassBlur},
	{"motion_blur", motionBlur},
	{"zoom_blur", zoomBlur},
	{"snow", snow},
	{"frost", frost},
	{"fog", fog},
	{"brightness", brightness},
	{"contrast", contrast},
	{"elastic_transform", elasticTransform},
	{"pixelate", pixelate},
	{"jpeg_compression", jpegCompression},
	{"speckle_noise", speckleNoise},
	{"gaussian_blur", gaussianBlur},
	{"spatter", spatter},
	{"saturate", saturate},
}

// corrupted is a set whose images are corrupted.
type corrupted struct {
	dataset.Set
	corruption *Corruption
}

// Unaltered returns the clean images, as dataset.Altered says.
func (s *corrupted) Unaltered() dataset.Set { return s.Set }

func (s *corrupted) Read(i int, dst []float32) (int, error) {
	label, err := s.Set.Read(i, dst)
	if err != nil {
		return 0, err
	}
	pixels := make([]uint8, len(dst))
	for j, v := range dst {
		pixels[j] = uint8(min(max(v, 0), 1)*255 + 0.5)
	}
	if err := s.corruption.Pixels(i, pixels); err != nil {
		return 0, err
	}
	for j, p := range pixels {
		dst[j] = float32(p) / 255
	}
	return label, nil
}
