// Package dataset reads labelled images, one small interface for every data set, and serves them in batches.
//
// A [Set] is a numbered list of images with labels. Pixels are float32 in [0,1], rows first and channels last
// (height, width, channel), so that steps and radii measured on them are in the same unit everywhere; normalisation
// is left to the classifier, which finds the usual constants in [Data]. [Open] opens a data set by name:
//
//	mnist           handwritten digits, 28x28x1; found without further ado, as it is part of a Go module
//	fashion_mnist   clothes, 28x28x1; idx files in a folder
//	cifar10         small photographs, 32x32x3; binary or Python files, unpacked or in their archive
//	cifar100        the same of 100 classes, or of 20 as cifar100:coarse
//	svhn            digits of house numbers, 32x32x3; MATLAB files
//	imagenet        photographs of 1000 classes; folders of classes, or the archives with the development kit
//	tiny_imagenet   photographs of 200 classes, 64x64x3
//	cub             photographs of 200 kinds of birds
//	places365       photographs of 365 kinds of places
//	cifar10c        CIFAR-10's test images corrupted; cifar10c:fog:3 is one corruption at one severity
//	cifar100c       the same of CIFAR-100
//	imagenetc       the same of ImageNet
//	folder:DIR      images in folders of their classes, or without labels
//	csv:FILE        images in a list of paths and labels
//	npz:FILE        images in numpy arrays
//	packed:DIR      what [Pack] wrote, read at the speed of memory
//	synthetic       generated shapes with stripes, for tests
//
// [Catalog] tells the files that each wants. CIFAR, SVHN and MNIST are read into memory; of all others an image is read when it
// is asked for, so they may be larger than memory. Image files are decoded to the pixels that Pillow reads, JPEG to within 3
// grey levels of them, and a [Preprocess] makes one size of many, as torchvision does. [CropStored] cuts random parts out of
// photographs as they are in their files.
//
// Own images become a Set through [NewImages] or by implementing the four methods of the interface. [Split], [Take],
// [Select] and [WithLabelNoise] make sets from sets, and so does package corrupt, which blurs, snows on and otherwise corrupts
// images as ImageNet-C does.
//
// A [Loader] walks over a Set in batches of one shape, shuffled and augmented if asked to. What it yields depends on
// its seed and the epoch, never on the number of workers or on timing. To go on within
// an epoch there is [Loader.EpochFrom]. Augmentation is a [Transform], or a [Chain] of them: [RandomCrop],
// [RandomCropReflect], [RandomFlip], [RandomResizedCrop], [RandomErasing], [Cutout].
//
//	loader := dataset.Loader{Set: data.Train, BatchSize: 128, Shuffle: true, Seed: 1}
//	for epoch := range 10 {
//		for batch, err := range loader.Epoch(ctx, epoch) {
//			...
//		}
//	}
//
// A file that is missing, truncated, too long or of another kind gives one error that names the file, the place in it
// and what was expected there (see [FormatError]).
package dataset
