package corrupt

import (
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/image/draw"

	"github.com/ratml/rat/ratml/dataset/internal/picture"
)

// frostFiles are the photographs that the original draws from; it has a sixth one that it never takes.
var frostFiles = []string{"frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg"}

// frost adds a random part of one of five pictures of frost.
func frost(s setting) (effect, error) {
	type mixture struct{ image, ice float64 }
	p := pick(s,
		[...]mixture{{1, 0.4}, {0.8, 0.6}, {0.7, 0.7}, {0.65, 0.7}, {0.6, 0.75}},
		[...]mixture{{1, 0.2}, {1, 0.3}, {0.9, 0.4}, {0.85, 0.4}, {0.75, 0.45}})
	pictures := iceTextures
	if s.FrostDir != "" {
		photographs, err := readFrost(s.FrostDir)
		if err != nil {
			return nil, err
		}
		pictures = func() []ice { return photographs }
	}
	fitted := sync.OnceValue(func() []ice {
		var list []ice
		for _, t := range pictures() {
			if s.Parameters == CIFAR {
				t = t.fifth()
			}
			list = append(list, t.covering(s.shape.Height, s.shape.Width))
		}
		return list
	})
	return func(f *frame, draws source) {
		list := fitted()
		t := list[draws.IntN(len(list))]
		top := draws.IntN(t.h - f.h)
		left := draws.IntN(t.w - f.w)
		for i := range f.v {
			y, x, k := i/f.c/f.w, i/f.c%f.w, i%f.c
			pixel := t.pixels[((top+y)*t.w+left+x)*3:]
			colour := [3]float64{float64(pixel[0]) / 255, float64(pixel[1]) / 255, float64(pixel[2]) / 255}
			f.v[i] = p.image*f.v[i] + p.ice*tint(colour, k, f.c)
		}
	}, nil
}

// ice is a picture of frost: red, green, blue.
type ice struct {
	h, w   int
	pixels []uint8
}

// readFrost reads the photographs of the original.
func readFrost(dir string) ([]ice, error) {
	var list []ice
	for _, name := range frostFiles {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("photographs of frost, of the folder ImageNet-C/create_c of github.com/hendrycks/robustness: %w", err)
		}
		p, err := picture.Decode(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, ice{p.Height, p.Width, p.Pixels})
	}
	return list, nil
}

// fifth returns every fifth pixel of every fifth row: what OpenCV's bilinear resize by 0.2 takes.
func (t ice) fifth() ice {
	out := ice{h: max(1, int(math.RoundToEven(float64(t.h)*0.2))), w: max(1, int(math.RoundToEven(float64(t.w)*0.2)))}
	for y := range out.h {
		for x := range out.w {
			at := (min(5*y+2, t.h-1)*t.w + min(5*x+2, t.w-1)) * 3
			out.pixels = append(out.pixels, t.pixels[at:at+3]...)
		}
	}
	return out
}

// covering returns t, enlarged by a cubic if need be to have more rows and columns than an image.
func (t ice) covering(h, w int) ice {
	if t.h > h && t.w > w {
		return t
	}
	scale := 1.1 * max(float64(h)/float64(t.h), float64(w)/float64(t.w))
	src := image.NewRGBA(image.Rect(0, 0, t.w, t.h))
	for i := range t.h * t.w {
		copy(src.Pix[4*i:], t.pixels[3*i:3*i+3])
		src.Pix[4*i+3] = 255
	}
	out := ice{h: max(h+1, int(math.Ceil(float64(t.h)*scale))), w: max(w+1, int(math.Ceil(float64(t.w)*scale)))}
	dst := image.NewRGBA(image.Rect(0, 0, out.w, out.h))
	draw.CatmullRom.Scale(dst, dst.Rect, src, src.Rect, draw.Src, nil)
	for i := range out.h * out.w {
		out.pixels = append(out.pixels, dst.Pix[4*i:4*i+3]...)
	}
	return out
}
