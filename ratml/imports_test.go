package ratml_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a cell of a notebook waits for is linking, most of all that of go-xla, which is done by the C linker.
func TestPlottingAndJudgingLinkNoEngine(t *testing.T) {
	for _, name := range []string{"misd", "report", "figures", "nb"} {
		out, err := exec.Command("go", "list", "-deps", "github.com/ratml/rat/ratml/"+name).Output()
		require.NoError(t, err)
		deps := strings.Fields(string(out))
		require.Contains(t, deps, "github.com/ratml/rat/ratml/"+name)
		for _, dep := range deps {
			for _, engine := range []string{"github.com/gomlx/", "github.com/ratml/rat/ratml/backend", "github.com/ratml/rat/ratml/nets"} {
				require.False(t, strings.HasPrefix(dep, engine), "%s imports %s", name, dep)
			}
		}
	}
	out, err := exec.Command("go", "list", "-deps", "github.com/ratml/rat/ratml/nets").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "github.com/gomlx/gomlx/", "engines have other names now")
}
