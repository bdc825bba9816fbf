package nb

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoundTicks(t *testing.T) {
	for _, tc := range []struct {
		low, high float64
		want      []string
	}{
		{0.1, 2.3, []string{"0.5", "1", "1.5", "2"}},
		{0, 1, []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}},
		{1, 628, []string{"200", "400", "600"}},
		{-0.021, 0.021, []string{"-0.02", "-0.01", "0", "0.01", "0.02"}},
		{0.951, 0.969, []string{"0.955", "0.96", "0.965"}},
		{3e5, 1.1e6, []string{"400000", "600000", "800000", "1e+06"}},
	} {
		var got []string
		for _, tick := range (roundTicks{}).Ticks(tc.low, tc.high) {
			require.GreaterOrEqual(t, tick.Value, tc.low-1e-12)
			require.LessOrEqual(t, tick.Value, tc.high+1e-12)
			got = append(got, tick.Label)
		}
		require.Equal(t, tc.want, got)
	}
	require.Empty(t, roundTicks{}.Ticks(1, 1))
	require.Empty(t, roundTicks{}.Ticks(math.NaN(), 1))
}
