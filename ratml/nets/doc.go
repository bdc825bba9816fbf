// Package nets holds classifier architectures and what is needed to run and train them.
//
// An [Arch] is a network as a function from normalised images to logits, together with the list of its tensors under
// the names that PyTorch users know. A [Classifier] is an architecture with weights on a backend; its first layer is
// the normalisation, so that images, steps and radii are in pixel units with images in [0,1], whatever the model.
//
// [Arch.ApplyWith] builds a forward pass with [Options] that training needs: batch normalisation over groups of the
// batch, its momentum, mixed precision, dropout. [Arch.WithExtraOutputs] adds outputs that only training sees.
//
// Images are [batch, height, width, channels]. Weights keep PyTorch's layout everywhere: convolution kernels are
// [out, in, height, width], linear weights [out, in].
package nets
