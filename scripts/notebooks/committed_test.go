package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// committed returns the notebooks of this module.
func committed(t *testing.T) map[string]*notebook {
	t.Helper()
	paths, err := filepath.Glob("../../notebooks/*.ipynb")
	require.NoError(t, err)
	require.Len(t, paths, 3)
	out := map[string]*notebook{}
	for _, path := range paths {
		nb, err := readNotebook(path)
		require.NoError(t, err)
		out[filepath.Base(path)] = nb
	}
	return out
}

func firstCode(nb *notebook) cell {
	for _, c := range nb.Cells {
		if c.Kind == "code" {
			return c
		}
	}
	return cell{}
}

func TestFirstCellIsTheSame(t *testing.T) {
	all := committed(t)
	first := firstCode(all["1_training.ipynb"])
	require.Contains(t, string(first.Source), "go mod edit")
	for name, nb := range all {
		c := firstCode(nb)
		require.Equal(t, first.ID, c.ID, name)
		require.Equal(t, first.Source, c.Source, name)
		require.Equal(t, "gonb", nb.Metadata.Kernel.Name, name)
	}
}

// Every step has a text before it: what is done and why. Only a cell that goes on with the step above it has none.
func TestStepsAreExplained(t *testing.T) {
	for name, nb := range committed(t) {
		require.Equal(t, "markdown", nb.Cells[0].Kind, name)
		require.True(t, strings.HasPrefix(string(nb.Cells[0].Source), "# "), name)
		seen, unexplained := map[string]bool{}, 0
		for i, c := range nb.Cells {
			require.NotEmpty(t, c.ID, name)
			require.False(t, seen[c.ID], "%s: two cells are called %s", name, c.ID)
			seen[c.ID] = true
			if c.Kind == "code" && nb.Cells[i-1].Kind != "markdown" {
				unexplained++
			}
		}
		require.LessOrEqual(t, unexplained, 1, name)
	}
}

func TestCommittedOutputs(t *testing.T) {
	for name, nb := range committed(t) {
		require.Empty(t, check(nb, nb), name)
		figures, tables := 0, 0
		for _, c := range nb.Cells {
			figures += len(c.figures())
			tables += len(c.tables())
		}
		require.Positive(t, figures, name)
		require.Positive(t, tables, name)
	}
}

// What a machine is called and where a checkout lies is nobody's business, and makes outputs differ.
func TestNoPathsOfMachines(t *testing.T) {
	paths := regexp.MustCompile(`(/home/|/root\b|/tmp/|/Users/|[A-Z]:\\\\)`)
	for name := range committed(t) {
		data, err := os.ReadFile(filepath.Join("../../notebooks", name))
		require.NoError(t, err)
		require.Empty(t, paths.FindString(string(data)), name)
		require.NotContains(t, string(data), `"execution": {`, "%s has times of execution", name)
	}
}

func TestLinksOfNotebooks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)]+)\)`)
	for name, nb := range committed(t) {
		for _, c := range nb.Cells {
			if c.Kind != "markdown" {
				continue
			}
			for _, m := range link.FindAllStringSubmatch(string(c.Source), -1) {
				if strings.HasPrefix(m[1], "https://") {
					continue
				}
				_, err := os.Stat(filepath.Join("../../notebooks", m[1]))
				require.NoError(t, err, name)
			}
		}
	}
}
