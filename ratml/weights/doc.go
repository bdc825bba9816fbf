// Package weights moves the weights of classifiers to and from files in the safetensors format
// (github.com/huggingface/safetensors), which PyTorch, JAX and other frameworks read and write.
//
// Tensors keep PyTorch's names and layouts, so that a file written here loads in Python with
//
//	net.load_state_dict(safetensors.torch.load_file("model.safetensors"))
//
// and one written there with safetensors.torch.save_file(net.state_dict(), "model.safetensors") loads here.
//
// Files are not trusted: a header that does not describe the file byte for byte is refused before anything of the size
// it claims is allocated.
package weights
