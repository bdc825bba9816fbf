package main

// options are the flags, in the groups that --help shows. A pointer that is nil is a flag that was not given: the
// recipe's setting or the default is used.
type options struct {
	choiceFlags     `title:"What is trained"`
	imageFlags      `title:"Images"`
	networkFlags    `title:"Network"`
	movingFlags     `title:"RAT and adversarial training (--objective rat, at)"`
	mixupFlags      `title:"Mixup (--objective rat, at, plain)"`
	baselineFlags   `title:"Other objectives"`
	updateFlags     `title:"Optimisation"`
	scheduleFlags   `title:"Learning rate"`
	deviceFlags     `title:"Devices"`
	outputFlags     `title:"Output"`
	officialCommand bool // spelled as only the official trainer's commands are
}

type choiceFlags struct {
	Recipe    string `arg:"--recipe" placeholder:"NAME" help:"train as a published result was, see --recipes. A flag that is given takes the place of the recipe's setting: one under 'Learning rate' below, but --learning_rate, that of its whole schedule, and --objective that of its whole objective"`
	Recipes   bool   `arg:"--recipes" help:"list the recipes and do nothing else"`
	Objective string `arg:"--objective" placeholder:"NAME" help:"what is minimised: plain, at (adversarial training), rat, crl, sam, fmfp (sam with averaged weights and a schedule of its own), openmix, logitnorm or regmixup [default: the recipe's; rat with --flex_direction; at, as officially, without it where the command has --model, --max_epochs, --from_scratch or --protocol official; rat otherwise]"`
	Protocol  string `arg:"--protocol" default:"sound" help:"sound, or official: defaults and quirks of the official trainer (imagenet, resnet18, 100 epochs of 128 images a device, AdamW at 5e-5, no schedule, --step_size 0.01; a learning rate that changes between epochs only, statistics of batch normalisation by device, PGD without --flex_direction along raw gradients, validation on the test images, all GPUs)"`
	Epochs    *int   `arg:"--epochs" placeholder:"N" help:"passes through the training images, officially --max_epochs [default: 10]"`
	BatchSize *int   `arg:"--batch_size" placeholder:"N" help:"images of a step on each device, so that a step has this many times --devices [default: 64, or all images of a smaller set; the recipe's is that of all devices]"`
	Seed      uint64 `arg:"--seed" default:"0" help:"seed of initial weights, of the choice and order of images, of augmentation and mixing"`
}

type imageFlags struct {
	Dataset     string   `arg:"--dataset" placeholder:"NAME" help:"mnist, fashion_mnist, cifar10, cifar100, svhn, imagenet, cub, places365, tiny_imagenet, synthetic, or folder:DIR, csv:FILE, npz:FILE, packed:DIR; go run ./scripts/data list tells the files [default: mnist]"`
	DataDir     string   `arg:"--data_dir" placeholder:"DIR" help:"folder of the data set [default: $DATASET_ROOT_DIR, or where the set is found by itself]"`
	TrainSize   int      `arg:"--train_size" placeholder:"N" help:"train on a random choice of this many images [default: all that are not for validation]"`
	ValSize     *int     `arg:"--val_size" placeholder:"N" help:"training images kept back for validation after each epoch [default: 0, or the recipe's]"`
	ValSplit    float64  `arg:"--val_split" placeholder:"SHARE" help:"the same as a share of the training images, in [0,1), instead of --val_size"`
	ValEvery    *int     `arg:"--val_check_interval" placeholder:"STEPS" help:"validate after so many steps too [default: after epochs only]"`
	Augment     *string  `arg:"--augment" placeholder:"LIST" help:"changes of training images, in this order, separated by commas: crop (shift by up to 4 pixels), crop_reflect (the same with mirrored edges), flip, crop_flip (both), resized_crop, erasing (a random rectangle becomes black), cutout (a square gets the mean colour), or none [default: the recipe's; crop_flip for cifar10 and cifar100, resized_crop,flip for photographs, none otherwise]"`
	RandErase   *float64 `arg:"--rand_erase" placeholder:"P" help:"probability of erasing, in [0,1], which joins the list if it is positive [default: 0.5 if the list has erasing]. The official trainer ignores it for cifar10 and cifar100, and so does --protocol official"`
	CutoutSize  *int     `arg:"--cutout_size" placeholder:"PIXELS" help:"side of the square of cutout [default: 16]"`
	Workers     *int     `arg:"--num_workers" placeholder:"N" help:"batches that are read and augmented at the same time; changes no result [default: one a CPU, and 0 means that too]"`
	Outliers    string   `arg:"--outliers" placeholder:"NAME" help:"openmix: data set whose training images are the outliers; they must have the shape of those trained on"`
	OutliersDir string   `arg:"--outliers_dir" placeholder:"DIR" help:"openmix: folder of that data set [default: as for --data_dir]"`
	DropLast    *bool    `arg:"--drop_last" help:"leave out the last batch of an epoch if it is not full [default: it is kept]"`
	LabelSmooth *float64 `arg:"--label_smoothing" placeholder:"SHARE" help:"share of a label that is spread over all classes, in [0,1) [default: 0]"`
}

type networkFlags struct {
	Arch        string `arg:"--arch" placeholder:"NAME" help:"architecture, such as wrn28_10_cifar10, officially --model [default: the small net of the data set, wrn16_2_cifar10 for cifar10 and so on, resnet18 for photographs]"`
	Init        string `arg:"--init" placeholder:"FILE" help:"begin with the weights in this file, safetensors or of torch.save (.pth, .pt, .ckpt) [default: random weights]"`
	Checkpoint  string `arg:"--ckpt" placeholder:"FILE" help:"a checkpoint of an earlier training (checkpoints/checkpoint-*.safetensors), which goes on from there in the new --out with the same settings; or weights as for --init: of a checkpoint of PyTorch or Lightning the weights are read, not the state of its optimiser"`
	FromScratch bool   `arg:"--from_scratch" help:"begin with random weights, as always without --init and --ckpt; the official trainer would begin with pretrained ones, so --protocol official wants one of the three"`
}

type movingFlags struct {
	FlexDirection  *bool    `arg:"--flex_direction" help:"what makes rat of at: images move towards their label where the network is wrong"`
	StepSize       *float64 `arg:"--step_size" placeholder:"EPS" help:"how far images are moved, L-infinity, in pixel units with images in [0,1] [default: 0.001]"`
	Lambda         *float64 `arg:"--lam" placeholder:"WEIGHT" help:"weight of the loss of moved images [default: 1]"`
	OriginalLambda *float64 `arg:"--ori_lam" placeholder:"WEIGHT" help:"weight of the loss of the images as they are [default: 1]"`
	Reverse        *bool    `arg:"--reverse_at" help:"move images the other way, an ablation of the paper"`
	PGD            *bool    `arg:"--pgd" help:"move images in several steps"`
	PGDSteps       *int     `arg:"--pgd_steps" placeholder:"N" help:"number of these steps [default: 7]"`
	PGDStepSize    *float64 `arg:"--pgd_step_size" placeholder:"EPS" help:"size of one of them, in pixel units [default: a quarter of --step_size]"`
	CleanDirection *bool    `arg:"--clean_direction" help:"with --mixup, move images along the gradient of their own loss instead of the mixed one"`
}

type mixupFlags struct {
	Mixup       *bool    `arg:"--mixup" help:"mix the images of a batch in pairs"`
	MixupAlpha  *float64 `arg:"--mixup_alpha" placeholder:"ALPHA" help:"of the distribution Beta(ALPHA, ALPHA) of mixing weights [default: 1]"`
	FinalEpochs *int     `arg:"--final_epochs_no_mixup" placeholder:"N" help:"last epochs without mixing [default: 0]"`
}

type baselineFlags struct {
	RankWeight     *float64 `arg:"--rank_weight" placeholder:"WEIGHT" help:"crl: weight of the ranking loss [default: 1]"`
	RankTarget     *string  `arg:"--rank_target" placeholder:"NAME" help:"crl: confidence that is ranked: softmax, margin or entropy [default: softmax]"`
	RankProportion *bool    `arg:"--rank_proportion" help:"crl: correctness is a share, as in the paper, and not scaled, as in its code"`
	Rho            *float64 `arg:"--rho" placeholder:"NORM" help:"sam, fmfp: L2 norm of the move of the weights [default: 0.05, and 0.5 with --rho_adaptive]"`
	RhoAdaptive    *bool    `arg:"--rho_adaptive" help:"sam, fmfp: scale the move by the size of the weights"`
	OutlierAlpha   *float64 `arg:"--outlier_alpha" placeholder:"ALPHA" help:"openmix: of the distribution Beta(ALPHA, ALPHA) of mixing weights [default: 10]; --outliers is needed"`
	OutlierWeight  *float64 `arg:"--outlier_weight" placeholder:"WEIGHT" help:"openmix: weight of the loss of mixed images [default: 1]"`
	Temperature    *float64 `arg:"--temperature" placeholder:"T" help:"logitnorm: divides logits of length 1 [default: 0.04]"`
	RegMixupAlpha  *float64 `arg:"--regmixup_alpha" placeholder:"ALPHA" help:"regmixup: of the distribution Beta(ALPHA, ALPHA) of mixing weights [default: 20]"`
	RegMixupWeight *float64 `arg:"--regmixup_weight" placeholder:"WEIGHT" help:"regmixup: weight of the loss of mixed images [default: 1]"`
	RegMixupMean   *bool    `arg:"--regmixup_mean" help:"regmixup: halve the sum of losses, as its code does"`
}

type updateFlags struct {
	Optimizer   *string  `arg:"--optimizer" placeholder:"NAME" help:"sgd, or adamw, officially called adam [default: sgd]"`
	Momentum    *float64 `arg:"--momentum" placeholder:"SHARE" help:"momentum of sgd as in PyTorch, in [0,1] [default: 0.9]"`
	Nesterov    *bool    `arg:"--nesterov" help:"Nesterov's momentum"`
	WeightDecay *float64 `arg:"--weight_decay" placeholder:"DECAY" help:"weight decay as in PyTorch [default: 0.0001]"`
	NoDecayNorm *bool    `arg:"--no_decay_norm" help:"no weight decay of batch normalisation and biases"`
	ClipNorm    *float64 `arg:"--clip_norm" placeholder:"NORM" help:"scale the gradient of all weights down to this L2 norm if it is longer [default: no limit]"`
	Accumulate  *int     `arg:"--accumulate" placeholder:"N" help:"batches whose gradients are averaged for an update [default: 1]"`
	BFloat16    *bool    `arg:"--bf16" help:"multiply in bfloat16, officially --mixed_precision; weights, batch normalisation and losses stay in float32"`
	EMA         *float64 `arg:"--ema" placeholder:"DECAY" help:"the result is the exponential moving average of the weights with this decay, in (0,1), such as 0.999"`
	SWAFrom     *int     `arg:"--swa_from" placeholder:"EPOCH" help:"the result is the mean of the weights after each epoch beyond this many (SWA)"`
}

type scheduleFlags struct {
	LearningRate *float64  `arg:"--learning_rate" placeholder:"RATE" help:"learning rate at its peak [default: 0.1, and 0.001 with adamw]"`
	Scheduler    *string   `arg:"--scheduler" placeholder:"NAME" help:"cosine (to 0), linear (to 0), step, multistep, onecycle, or constant, also called none [default: cosine]"`
	Warmup       *float64  `arg:"--warmup_epochs" placeholder:"N" help:"epochs in which the rate rises [default: 0]"`
	Milestones   []float64 `arg:"--milestones" placeholder:"EPOCH" help:"multistep: after these epochs the rate is multiplied by --gamma"`
	Gamma        *float64  `arg:"--gamma" placeholder:"FACTOR" help:"step, multistep: the factor [default: 0.1]"`
	DecayEvery   *float64  `arg:"--decay_every" placeholder:"N" help:"step: epochs after which the rate is multiplied by --gamma [default: 30]"`
	SWARate      *float64  `arg:"--swa_lr" placeholder:"RATE" help:"with --swa_from: the constant rate that is reached within 10 epochs after it [default: the schedule goes on]"`
	PerEpoch     *bool     `arg:"--per_epoch" help:"the rate changes between epochs only, as officially [default: with every step]"`
}

type deviceFlags struct {
	Backend string `arg:"--backend" placeholder:"NAME" help:"xla, xla:cuda, xla:/path/to/plugin.so, go [default: a plugin if one is installed, else go]"`
	Devices string `arg:"--devices" placeholder:"N" help:"devices that each batch is divided over, or all [default: 1]"`
	LocalBN *bool  `arg:"--local_bn" help:"batch normalisation with the statistics of each device's share of a batch, as officially"`
	SyncBN  *bool  `arg:"--sync_bn" help:"batch normalisation with the statistics of the whole batch; it is the default of --protocol sound"`
}

type outputFlags struct {
	Out             string `arg:"--out" default:"training" placeholder:"DIR" help:"folder for weights.safetensors, log.jsonl and checkpoints"`
	Resume          bool   `arg:"--resume" help:"go on with the training in --out, from its newest checkpoint that can be read; all other settings must be the same. Without a checkpoint it begins anew"`
	CheckpointEvery int    `arg:"--checkpoint_every" placeholder:"STEPS" help:"write a checkpoint after so many steps too [default: after every epoch, and when the training ends early]"`
	Keep            int    `arg:"--keep" default:"2" placeholder:"N" help:"newest checkpoints that are kept; that of the best validation accuracy is kept too"`
	LogEvery        int    `arg:"--log_every" default:"10" placeholder:"STEPS" help:"steps between two of the lines of log.jsonl that tell of a step; there is one an epoch in any case"`
	TensorBoard     bool   `arg:"--tensorboard" help:"write curves for TensorBoard into the folder tensorboard of --out"`
	LoggingDir      string `arg:"--logging_dir" placeholder:"DIR" help:"write them into this folder instead"`
	Profile         bool   `arg:"--profile" help:"tell in the end where the time went, on standard output and in profile.json, in seconds"`
}
