// Package corrupt makes the corrupted images of ImageNet-C, CIFAR-10-C and CIFAR-100-C from any data set: 19 corruptions
// of five severities each, with the parameters of either benchmark (Hendrycks, Dietterich, "Benchmarking neural network
// robustness to common corruptions and perturbations", ICLR 2019).
//
//	noisy, err := corrupt.Apply(data.Test, "gaussian_noise", 3, seed)
//
// Images are corrupted when they are read, as bytes, and rounded down to bytes like the original's. What becomes of image
// i depends on the seed, the corruption, the severity and i only, besides the image itself. Images have 1 or 3 channels
// and any size; grey ones get what a colour image of three equal channels gets, colours turned into their luma.
//
// # How near the original
//
// Given the same random numbers, the code of the benchmarks (hendrycks/robustness, ImageNet-C/create_c, commit 8190fe3, on
// today's numpy, SciPy, scikit-image, OpenCV and Pillow) and this package give the same bytes to within one grey level,
// for images of 32x32 (CIFAR) and 224x224 (ImageNet) and all severities, but for JPEG:
//
//	corruption         random  on the same random numbers    note
//	gaussian_noise     yes     within 1 grey level
//	shot_noise         yes     within 1 grey level
//	impulse_noise      yes     within 1 grey level           each channel on its own
//	defocus_blur       no      within 1 grey level
//	glass_blur         yes     within 1 grey level           copies pixels where the paper says swaps, as the published images
//	motion_blur        yes     within 1 grey level           of ImageMagick's blur as imagecorruptions writes it
//	zoom_blur          no      within 1 grey level
//	snow               yes     within 1 grey level           motion blur as above
//	frost              yes     within 1 grey level           with the photographs (Config.FrostDir); see below
//	fog                yes     within 1 grey level
//	brightness         no      within 1 grey level
//	contrast           no      within 1 grey level
//	elastic_transform  yes     within 1 grey level           ImageNet-C's form; imagecorruptions has another
//	pixelate           no      within 1 grey level
//	jpeg_compression   no      mean difference at most 2     another encoder: single values differ by up to 40
//	speckle_noise      yes     within 1 grey level
//	gaussian_blur      no      within 1 grey level
//	spatter            yes     within 1 grey level
//	saturate           no      within 1 grey level
//
// The random numbers themselves are others than numpy's, so the random corruptions are equal to those of the published
// files in distribution, not in bytes. Means, deviations and differences over many runs are compared in the tests.
//
// The package imagecorruptions 1.1.2 on 224x224 is equal to the ImageNet code on the same random numbers within 2 grey
// levels, apart from elastic_transform and frost, which it computes otherwise, and single pixels of snow.
//
// The photographs that frost adds are not free, so without FrostDir five generated textures take their place: feathers
// of ice over clouds, with the means and deviations of red, green and blue of the five photographs. They look alike and
// change images about as much (mean difference from the clean image at 32x32 within 10 % of the original's at every
// severity, see TestStatistics), but they are not the original's: for figures to be compared with published ones, give the
// folder.
//
// Sizes other than 224x224 and 32x32 keep all parameters in pixels, as the original's Tiny ImageNet and ImageNet-64
// do in kind, except for elastic_transform, whose lengths are fractions of the shorter side, and fog, whose clouds
// span the next power of two.
package corrupt
