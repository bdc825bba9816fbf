// Package nets holds classifier architectures and what is needed to run and train them.
//
// An [Arch] is a network as a function from normalised images to logits, together with the list of its tensors under
// the names that PyTorch users know. A [Classifier] is an architecture with weights on a backend; its first layer is
// the normalisation, so that images, steps and radii are in pixel units with images in [0,1], whatever the model.
//
// Architectures have the names that their libraries give them, and [Lookup] finds them by name, also those of other depths
// and widths than the libraries have:
//
//   - pytorchcv's for 32x32 images, followed by cifar10, cifar100 or svhn: resnet20_cifar10, preresnet164bn_cifar100,
//     seresnet56_svhn, wrn28_10_cifar10, densenet100_k12_bc_cifar10, resnext29_32x4d_cifar10;
//   - openmix_resnet110_cifar10 and others for those in the code of OpenMix, FMFP and CRL, normalised as there, with
//     _outlier behind it where OpenMix trained them;
//   - torchvision's for ImageNet, such as resnet50 and vgg16_bn, with another number of classes as in resnet50_200classes.
//     [Arch.WithInput] is for other sizes of images.
//
// [Arch.ApplyWith] builds a forward pass with [Options] that training needs: batch normalisation over groups of the
// batch, its momentum, mixed precision, dropout. [Arch.WithExtraOutputs] adds outputs that only training sees.
//
// Images are [batch, height, width, channels]. Weights keep PyTorch's layout everywhere: convolution kernels are
// [out, in, height, width], linear weights [out, in].
package nets
