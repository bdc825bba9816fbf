// Package backend opens the engine that computations run on: XLA through a
// PJRT plugin where one is installed, and GoMLX's Go backend everywhere else.
//
// [Open] with an empty configuration never touches the network, never hangs
// and always finds something to run on. What it chose and why is written to
// standard error in one line:
//
//	be, err := backend.Open("")
//	if err != nil {
//		log.Fatal(err)
//	}
//	exec, err := graph.NewExec(be.Backend, func(x *graph.Node) *graph.Node { ... })
//
// # Configurations
//
//	""               the environment variable GOMLX_BACKEND, or else "auto"
//	"auto"           an installed PJRT plugin, cuda before cpu; without one the Go backend
//	"go"             the Go backend, made fast
//	"go:plain"       the Go backend exactly as GoMLX ships it
//	"go:OPTIONS"     options of the Go backend (parallelism=N, ops_sequential, ...), "plain" among them
//	"xla"            an installed PJRT plugin, cuda before cpu; an error without one
//	"xla:cpu"        the CPU plugin
//	"xla:cuda"       the CUDA plugin
//	"xla:/abs/p.so"  this plugin file, whatever its name
//	"xla:NAME,OPTIONS"  options of go-xla, such as tf32=false or visible_devices=0;1
//
// Plugins are looked for where go-xla looks for them: in the folders of
// PJRT_PLUGIN_LIBRARY_PATH if it is set, else in ~/.local/lib/go-xla,
// /usr/local/lib/go-xla and the system's library folders. [Plugins] lists
// them; the command scripts/xla installs one. Files are checked before they
// are loaded, because loading a truncated library ends the process.
//
// XLA needs Linux and cgo. Other builds, and builds with the tag noxla, have
// the Go backend only and say so when XLA is asked for.
//
// # The Go backend
//
// GoMLX's Go backend computes convolutions one output at a time. "go" opens it
// behind a layer of ours that computes convolutions and their gradients,
// matrix products, sums, copies and elementwise operations on float32 on all
// cores, with AVX2 where the processor has it, and leaves the rest to GoMLX.
// On such processors it trains small and medium nets about as fast as XLA does
// on the same cores; without AVX2 XLA is several times faster. Results equal
// GoMLX's up to rounding, repeat bit for bit on one kind of processor, and do
// not depend on the number of cores. Graphs with control flow, sorting, random
// numbers or dynamic shapes run on GoMLX's backend as they are, and slowly:
// keep them apart from networks.
//
// GoMLX's own default, a pool of workers that operations can deadlock in, is
// never used.
package backend
