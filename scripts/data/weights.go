package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// runWeights looks at, or converts, files of weights.
func runWeights(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	job := ""
	if len(args) > 0 {
		job = args[0]
	}
	switch job {
	case "inspect":
		var o inspectOptions
		return parsed(&o, "data weights inspect", args[1:], stdout, func() error { return inspect(o, stdout) })
	case "convert":
		var o convertOptions
		return parsed(&o, "data weights convert", args[1:], stdout, func() error { return convert(o, stdout, stderr) })
	}
	return usagef("weights %s: want weights inspect FILE, or weights convert FILE OUT", job)
}

// inspectOptions are the flags of data weights inspect.
type inspectOptions struct {
	File string `arg:"positional,required" help:"safetensors, or a file of torch.save: .pth, .pt, .ckpt, a zip archive of one, or ONNX"`
}

func (inspectOptions) Description() string {
	return "Shows what a file of weights holds, and which architectures it fits. The exit status is 3 where a tensor holds NaN or infinities."
}

func inspect(o inspectOptions, stdout io.Writer) error {
	if is, err := isONNX(o.File); err != nil || is {
		if err != nil {
			return err
		}
		return inspectONNX(o.File, stdout)
	}
	f, err := weights.Inspect(o.File)
	if err != nil {
		return err
	}
	info, err := os.Stat(o.File)
	if err != nil {
		return err
	}
	fit, err := f.Fitting()
	if err != nil {
		return err
	}
	w, loading := weights.Load(o.File)
	out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "format\t%s\n", formatName(f))
	fmt.Fprintf(out, "bytes\t%d\n", info.Size())
	if f.Entry != "" {
		fmt.Fprintf(out, "entry\t%s\n", strings.Join(append([]string{f.Entry}, others(f)...), ", "))
	}
	if f.Prefix != "" {
		fmt.Fprintf(out, "prefix\t%s (not shown)\n", f.Prefix)
	}
	for _, k := range sortedKeys(f.Metadata) {
		fmt.Fprintf(out, "metadata\t%s: %s\n", printable(k), printable(f.Metadata[k]))
	}
	parameters, statistics := count(f)
	fmt.Fprintf(out, "tensors\t%d\n", len(f.Tensors))
	fmt.Fprintf(out, "parameters\t%d, and %d running statistics\n", parameters, statistics)
	fmt.Fprintf(out, "fits\t%s\n", cmp.Or(strings.Join(fit, ", "), "no architecture that is known"))
	out.Flush()
	fmt.Fprintln(stdout)
	for _, t := range f.Tensors {
		note := ""
		if t.Ignored {
			note = "\tnot read"
		}
		fmt.Fprintf(out, "%s\t%s\t%s%s\n", printable(t.Name), t.Dtype, shape(t.Shape), note)
	}
	out.Flush()
	if loading != nil {
		return loading
	}
	return nonFinite(w, stdout)
}

func formatName(f *weights.File) string {
	if f.Zipped {
		return f.Format + ", in a zip archive"
	}
	return f.Format
}

func others(f *weights.File) []string {
	var list []string
	for _, o := range f.Others {
		list = append(list, "not "+o)
	}
	return list
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// printable makes text of a file fit to be shown in one line.
func printable(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

func shape(s []int) string {
	if len(s) == 0 {
		return "scalar"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(s), " ", "x"), "[]")
}

// count returns the numbers of values that are trained, and that are counted while training.
func count(f *weights.File) (parameters, statistics int) {
	for _, t := range f.Tensors {
		switch {
		case t.Ignored || t.Name == "mean" || t.Name == "std":
		case strings.HasSuffix(t.Name, "running_mean") || strings.HasSuffix(t.Name, "running_var"):
			statistics += t.Size()
		default:
			parameters += t.Size()
		}
	}
	return parameters, statistics
}

// nonFinite names the tensors with values that no classifier can have.
func nonFinite(w nets.Weights, stdout io.Writer) error {
	found := 0
	for _, name := range w.Names() {
		n := 0
		for _, v := range w[name].Data {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				n++
			}
		}
		if n > 0 {
			fmt.Fprintf(stdout, "\n%s: %d of %d values are NaN or infinite", printable(name), n, len(w[name].Data))
			found++
		}
	}
	if found > 0 {
		fmt.Fprintln(stdout)
		return fmt.Errorf("%w: %d tensors hold NaN or infinities", errFaulty, found)
	}
	return nil
}

// convertOptions are the flags of data weights convert.
type convertOptions struct {
	File  string `arg:"positional,required" help:"file to read, as for weights inspect"`
	Out   string `arg:"positional,required" help:"file to write: .safetensors, or .pth (or .pt, .ckpt), which torch.load reads with weights_only=True"`
	Dtype string `arg:"--dtype" default:"f32" help:"f32, f16 or bf16"`
	Arch  string `arg:"--arch" help:"architecture that the weights must fit, whose names they get"`
}

func (convertOptions) Description() string {
	return "Writes weights in another format. Names lose the prefixes of wrappers; counts of batches are left out, as PyTorch does not need them."
}

func convert(o convertOptions, stdout, stderr io.Writer) error {
	dtype, ok := map[string]string{"f32": "F32", "f16": "F16", "bf16": "BF16"}[strings.ToLower(o.Dtype)]
	if !ok {
		return usagef("--dtype %q: want f32, f16 or bf16", o.Dtype)
	}
	w, metadata, err := toConvert(o, stderr)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(strings.ToLower(o.Out), ".safetensors") {
		metadata = nil // the file is then the state dict itself, not a dict around it
	}
	if err := weights.SaveAs(o.Out, w, metadata, dtype); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "wrote %d tensors to %s\n", len(w), o.Out)
	return nil
}

// toConvert returns the weights under the names that they are to have, and what is known about them.
func toConvert(o convertOptions, stderr io.Writer) (nets.Weights, map[string]string, error) {
	metadata, err := weights.Metadata(o.File)
	if err != nil {
		return nil, nil, err
	}
	if o.Arch == "" {
		w, err := weights.Load(o.File)
		return w, metadata, err
	}
	a, err := nets.Lookup(o.Arch)
	if err != nil {
		return nil, nil, usageError{err}
	}
	metadata["arch"] = a.Name
	w, err := weights.LoadFor(a, o.File, stderr)
	return w, metadata, err
}
