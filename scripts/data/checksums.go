package main

// official are the MD5 sums of files as their authors distribute them, by data set and file. Sources: torchvision
// (datasets/cifar.py, svhn.py, imagenet.py, places365.py), torch-uncertainty (datasets/classification/cifar/cifar_c.py), and
// the sets' own pages.
var official = map[string]map[string]string{
	"cifar10": {
		"cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a",
		"cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530",
		"data_batch_1":           "c99cafc152244af753f735de768cd75f",
		"data_batch_2":           "d4bba439e000b95fd0a9bffe97cbabec",
		"data_batch_3":           "54ebc095f3ab1f0389bbae665268c751",
		"data_batch_4":           "634d18415352ddfa80567beed471001a",
		"data_batch_5":           "482c414d41f54cd18b22e5b47cb7c3cb",
		"test_batch":             "40351d587109b95175f43aff81a1287e",
		"batches.meta":           "5ff9c542aee3614f3951f8cda6e48888",
	},
	"cifar100": {
		"cifar-100-python.tar.gz": "eb9058c3a382ffc7106e4002c42a8d85",
		"cifar-100-binary.tar.gz": "03b5dce01913d631647c71ecec9e9cb8",
		"train":                   "16019d7e3df5f24257cddd939b257f8d",
		"test":                    "f0ef6b0ae62326f3e7ffdfab6717acfc",
		"meta":                    "7973b15100ade9c7d40fb424638fde48",
	},
	"cifar10c": {
		"CIFAR-10-C.tar":       "56bf5dcef84df0e2308c6dcbcbbd8499",
		"labels.npy":           "c439b113295ed5254878798ffe28fd54",
		"gaussian_noise.npy":   "ecaf8b9a2399ffeda7680934c33405fd",
		"fog.npy":              "7b397314b5670f825465fbcd1f6e9ccd",
		"jpeg_compression.npy": "2b9cc4c864e0193bb64db8d7728f8187",
	},
	"cifar100c": {
		"CIFAR-100-C.tar": "11f0ed0f1191edbf9fa23466ae6021d3",
		"labels.npy":      "bb4026e9ce52996b95f439544568cdb2",
	},
	"svhn": {
		"train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
		"test_32x32.mat":  "eb5a983be6a315427106f1b164d9cef3",
		"extra_32x32.mat": "a93ce644f1a588dc4d68dda5feec44a7",
	},
	"imagenet": {
		"ILSVRC2012_img_train.tar":     "1d675b47d978889d74fa0da5fadfb00e",
		"ILSVRC2012_img_val.tar":       "29b22e2961454d5413ddabcf34fc5622",
		"ILSVRC2012_devkit_t12.tar.gz": "fa75699e90414af021442c21a62c3abf",
	},
	"places365": {
		"val_256.tar":                     "e27b17d8d44f4af9a78502beb927f808",
		"train_256_places365standard.tar": "53ca1c756c3d1e7809517cc47c5561c5",
		"places365_val.txt":               "e9f2fd57bfd9d07630173f4e8708e4b1",
		"categories_places365.txt":        "06c963b85866bd0649f97cb43dd16673",
		"filelist_places365-standard.tar": "35a0585fee1fa656440f3ab298f8479c",
	},
	"cub": {"CUB_200_2011.tgz": "97eceeb196236b17998738112f37df78"},
}

// sizes are the numbers of training and test images of the whole sets, 0 where there are none.
var sizes = map[string][2]int{
	"mnist": {60000, 10000}, "fashion_mnist": {60000, 10000}, "cifar10": {50000, 10000}, "cifar100": {50000, 10000},
	"svhn": {73257, 26032}, "imagenet": {1281167, 50000}, "cub": {5994, 5794}, "places365": {1803460, 36500},
	"tiny_imagenet": {100000, 10000}, "cifar10c": {0, 15 * 50000}, "cifar100c": {0, 15 * 50000}, "imagenetc": {0, 19 * 5 * 50000},
}
