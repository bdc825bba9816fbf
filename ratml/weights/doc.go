// Package weights moves the weights of classifiers to and from files: safetensors
// (github.com/huggingface/safetensors), and those of PyTorch's torch.save (.pth, .pt, .ckpt), of all versions since 0.4.
// Which it is shows in the file, whatever its name.
//
// Tensors keep PyTorch's names and layouts, so that a file written here loads in Python with
//
//	net.load_state_dict(safetensors.torch.load_file("model.safetensors"))
//	net.load_state_dict(torch.load("model.pth", weights_only=True))
//
// and what net.state_dict() gave loads here, alone or inside a checkpoint.
//
// [Load] returns the tensors of a file, [Inspect] describes it, [Identify] names the architectures that it fits, and
// [Open], [OpenModel] and [LoadInto] make classifiers of it.
//
// Files are not trusted: nothing of the size that a file claims is allocated before the claim is checked, and a PyTorch
// file that asks for anything but tensors and plain containers is refused, not run.
package weights
