package train

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
)

// TestRecipes checks that every recipe can be trained with: network and data set are there and fit each other, and the
// settings are complete for as many images as there are.
func TestRecipes(t *testing.T) {
	shapes := map[string]dataset.Shape{"cifar10": {Height: 32, Width: 32, Channels: 3}, "mnist": {Height: 28, Width: 28, Channels: 1}}
	shapes["fashion_mnist"] = shapes["mnist"]
	seen := map[string]bool{}
	for _, r := range Recipes() {
		t.Run(r.Name, func(t *testing.T) {
			require.False(t, seen[r.Name], "the name is used twice")
			seen[r.Name] = true
			require.NotEmpty(t, r.Source)
			arch, err := nets.Lookup(r.Arch)
			require.NoError(t, err)
			require.True(t, slices.Contains(dataset.Names(), r.Dataset))
			require.Equal(t, shapes[r.Dataset], dataset.Shape(arch.Input))
			if o, ok := r.Config.Objective.(OpenMix); ok {
				require.Error(t, o.Check())
				o.Outliers = stripes{8, 1}
				r.Config.Objective = o
			}
			require.NoError(t, r.Config.Objective.(interface{ Check() error }).Check())
			c, err := r.Config.counts(50_000 - r.KeptBack)
			require.NoError(t, err)
			_, err = c.rates()
			require.NoError(t, err)
			found, err := FindRecipe(r.Name)
			require.NoError(t, err)
			require.Equal(t, r.Source, found.Source)
		})
	}
	_, err := FindRecipe("rat")
	require.ErrorContains(t, err, `unknown recipe "rat"; known are rat_cifar10_wrn28_10, plain_`)
}

// TestRecipeRates compares learning rates with those of the sources, by epoch from 0.
func TestRecipeRates(t *testing.T) {
	for name, rates := range map[string]map[float64]float64{
		"rat_cifar10_wrn28_10":      {0: 1e-8, 0.9: 1e-8, 5: 0.2, 252.5: 0.2 * 0.5 * (1 + 0.0031733), 499.9: 2.0142e-6},
		"plain_cifar10_wrn28_10":    {0: 0.1, 78.9: 0.1, 79: 0.01, 129: 0.001, 169: 0.0001},
		"crl_cifar10_wrn28_10":      {148.9: 0.1, 149: 0.01, 249: 0.001, 299: 0.001},
		"fmfp_cifar10_wrn28_10":     {0: 0.1, 50: 0.05, 100: 0, 130: 0.05, 199: 0.05},
		"openmix_cifar10_wrn28_10":  {98.9: 0.1, 99: 0.01, 149: 0.001},
		"logitnorm_cifar10_wrn40_2": {79.9: 0.1, 80: 0.01, 140: 0.001},
		"regmixup_cifar10_wrn28_10": {149.9: 0.1, 150: 0.01, 250: 0.001},
	} {
		r, err := FindRecipe(name)
		require.NoError(t, err)
		c := r.Config
		for epoch, want := range rates {
			require.InEpsilon(t, want+1e-12, c.Schedule(c.LearningRate, epoch, float64(c.Epochs))+1e-12, 1e-3, "%s, epoch %v", name, epoch)
		}
	}
}
