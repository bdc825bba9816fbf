package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/policy"
)

// contains is require.Contains that does not print the page.
func contains(t *testing.T, page string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		require.True(t, strings.Contains(page, want), "there is no %q in %d bytes", want, len(page))
	}
}

// lacks is the opposite.
func lacks(t *testing.T, page string, unwanted ...string) {
	t.Helper()
	for _, u := range unwanted {
		require.False(t, strings.Contains(page, u), "there is %q in %d bytes", u, len(page))
	}
}

// withoutCommand leaves out the command line of a page.
func withoutCommand(t *testing.T, page string) string {
	t.Helper()
	before, rest, ok := strings.Cut(page, "<pre><code>")
	_, after, shut := strings.Cut(rest, "</code></pre>")
	require.True(t, ok && shut)
	return before + after
}

// The page of a run has everything, is the same each time, and is made from a finished run too.
func TestHTML(t *testing.T) {
	net, out := tinyNet(t, 1), t.TempDir()
	path := filepath.Join(out, "page & more.html")
	args := tiny(net, out, "--val_split", "0.25", "--html", path)
	_, stderr := must(t, args...)
	require.Contains(t, stderr, "wrote "+path)
	page := readText(t, path)
	contains(t, page,
		"<bdi>smallcnn_mnist</bdi> on <bdi>mnist</bdi></h1>", "<dt>images</dt><dd>75</dd>",
		"by true class", "What the search for the radius costs", "Risk and coverage.", "Finding errors.", "Reliability.", "Radius.", "Cost and quality.",
		"Wrong and most confident", "Borderline", "Right and least confident", "radius 0.", "protocol", "75 images judged, 25 apart",
		"fitted: ODIN", "go run ./scripts/evaluate --dataset mnist --ckpt "+net)
	contains(t, page, "--html &#39;"+strings.ReplaceAll(path, "&", "&amp;")+"&#39;")
	lacks(t, page, "Not drawn", "<h2>Policy")
	require.Len(t, regexp.MustCompile(`<svg `).FindAllString(page, -1), 2*6)
	pictures := regexp.MustCompile(`<img src="data:image/png;base64,[^"]{50,}" width="96" height="96" alt="Image (\d+): `).FindAllStringSubmatch(page, -1)
	require.GreaterOrEqual(t, len(pictures), 24)

	must(t, args...)
	require.True(t, page == readText(t, path), "the same command gives another page")
	must(t, append(args, "--resume")...)
	require.True(t, withoutCommand(t, page) == withoutCommand(t, readText(t, path)), "a finished run gives another page")
}

// The images on the page are those that the scores are of, under their numbers in the data set.
func TestHTMLShowsTheRightImages(t *testing.T) {
	net, out := tinyNet(t, 1), t.TempDir()
	page := func(more ...string) map[string]string {
		path := filepath.Join(out, "page.html")
		must(t, tiny(net, out, append(more, "--html", path)...)...)
		shown := map[string]string{}
		for _, m := range regexp.MustCompile(`<img src="data:image/png;base64,([^"]*)"[^>]*alt="Image (\d+): (\d)`).FindAllStringSubmatch(readText(t, path), -1) {
			shown[m[2]] = m[1] + m[3]
		}
		require.NotEmpty(t, shown)
		return shown
	}
	all, split, later := page(), page("--val_split", "0.5"), page("--images", "20:100")
	common := 0
	for _, other := range []map[string]string{split, later} {
		for number, data := range other {
			if want, ok := all[number]; ok {
				require.True(t, want == data, "image %s is another", number)
				common++
			}
		}
	}
	require.Greater(t, common, 10)
}

func TestHTMLOfOtherRuns(t *testing.T) {
	net := tinyNet(t, 1)
	for name, c := range map[string]struct {
		flags       []string
		want, lacks []string
	}{
		"splits":     {[]string{"--n_exps", "2"}, []string{"2 splits", "±", "of the first of 2 splits", "Borderline"}, nil},
		"shifted":    {[]string{"--ood_dataset", "mnist", "--ood_data_dir", darker(t)}, []string{"shifted data set", "under shift"}, nil},
		"thresholds": {[]string{"--prob-thres", "0.1"}, []string{"not shown: --prob-thres", "Risk and coverage."}, []string{"Borderline", "<img"}},
	} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			path := filepath.Join(out, "page.html")
			args := []string{"--dataset", "mnist", "--ckpt", net, "--images", "60", "--confid_scores", "MSR", "--backend", "go", "--resamples", "0", "--out", out, "--html", path}
			must(t, append(args, c.flags...)...)
			page := readText(t, path)
			contains(t, page, c.want...)
			lacks(t, page, c.lacks...)
			must(t, append(append(args, c.flags...), "--resume")...)
			require.True(t, withoutCommand(t, page) == withoutCommand(t, readText(t, path)), "a finished run gives another page")
		})
	}
}

func TestHTMLOfMerge(t *testing.T) {
	net, out := tinyNet(t, 1), t.TempDir()
	for _, shard := range []string{"0/2", "1/2"} {
		must(t, tiny(net, out, "--shard", shard)...)
	}
	path := filepath.Join(out, "page.html")
	must(t, "merge", out, "--out", filepath.Join(out, "whole"), "--html", path)
	page := readText(t, path)
	contains(t, page, "go run ./scripts/evaluate merge", "Reliability.", "by true class")
	lacks(t, page, "<img")
}

// Scores of another tool give a page, whatever they are called.
func TestHTMLOfColumns(t *testing.T) {
	dir := t.TempDir()
	table := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
		return path
	}
	rows := "1,'],a,0.9\n1,'],a,0.8\n0,'],b,0.3\n1,<i>,b,0.7\n0,<i>,b,0.2\n"
	one := table("<script>alert(1)<&script>.csv", "correct,site,\"<b>\"\"x\",conf\n"+strings.NewReplacer("'],a", "<u>,1", "'],b", "<u>,2", "<i>,b", "שלום,3").Replace(rows))
	path := filepath.Join(dir, "page.html")
	must(t, "columns", one, "--group", "site", "--resamples", "0", "--html", path)
	page := readText(t, path)
	contains(t, page, "&lt;script&gt;alert(1)", "&lt;b&gt;&#34;x", "by site", "שלום", "Risk and coverage.", "Confidence of right and wrong predictions.")
	lacks(t, page, "<script>alert", "<u>", "<b>\"x", "<img", "Reliability.", "Radius.", "Cost and quality.", "Images</h2>")

	two := table("two.csv", "label,prob_0,prob_1\n0,0.9,0.1\n1,0.2,0.8\n1,0.6,0.4\n")
	must(t, "columns", write(t, "one.csv", "correct,conf\n1,0.9\n0,0.1\n"), two, "--resamples", "0", "--html", path)
	contains(t, readText(t, path), "Scores of 2 classifiers", "no score in common")
	must(t, "columns", two, table("three.csv", readText(t, two)), "--resamples", "0", "--html", path)
	contains(t, readText(t, path), `class="wide"`, "Reliability.")

	// Nothing is wrong and all is the same: there is less to see, and the page says why.
	must(t, "columns", table("right.csv", "correct,conf\n1,1\n1,1\n"), "--resamples", "0", "--html", path)
	contains(t, readText(t, path), "<dd>100.0 %</dd>", "Not drawn: <bdi>every prediction is right")
}

func TestHTMLWithPolicy(t *testing.T) {
	dir := t.TempDir()
	run, file, path := filepath.Join(dir, "run"), filepath.Join(dir, "policy.json"), filepath.Join(dir, "page.html")
	net := tinyNet(t, 1)
	scored := func(images, net string, more ...string) []string {
		return append([]string{"--dataset", "mnist", "--ckpt", net, "--images", images, "--confid_scores", "MSR", "--backend", "go", "--resamples", "0", "--out", run}, more...)
	}
	must(t, scored("80", net)...)
	must(t, "policy", "--from", run, "--score", "MSR", "--method", "plain", "--risk", "0.95", "--out", file)
	must(t, scored("80:200", net, "--policy", file, "--html", path)...)
	contains(t, readText(t, path), "<h2>Policy</h2>", "Accept where MSR ≥ ", "nothing is guaranteed", "coverage here", "of 120 images", "drift")
	lacks(t, readText(t, path), "no check of the guarantee")
	must(t, scored("80", net, "--policy", file, "--html", path)...)
	contains(t, readText(t, path), "no check of the guarantee")
	must(t, "columns", filepath.Join(run, "scores.csv"), "--resamples", "0", "--policy", file, "--html", path)
	contains(t, readText(t, path), "Accept where MSR ≥ ")

	other := tinyNet(t, 2)
	changed := filepath.Join(dir, "changed.json")
	p, err := policy.Load(file)
	require.NoError(t, err)
	p.Score.Parameters = []byte(`{"score":"MSR","parameters":{"Temperature":3}}`)
	require.NoError(t, p.Save(changed))
	scores := filepath.Join(run, "scores.csv")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"--policy is for the page of --html", scored("80", net, "--policy", file)},
		{"other weights", scored("80", other, "--policy", file, "--html", path)},
		{"this run has {", scored("80", net, "--policy", changed, "--html", path)},
		{"a policy needs --n_exps 1", scored("80", net, "--n_exps", "2", "--policy", file, "--html", path)},
		{"for score MSR, which", append(scored("80", net, "--policy", file, "--html", path), "--confid_scores", "NE")},
		{"nowhere.json", scored("80", net, "--policy", "nowhere.json", "--html", path)},
		{"--html: ", scored("80", net, "--html", filepath.Join(dir, "none", "page.html"))},
		{"is a folder", scored("80", net, "--html", dir)},
		{"nothing to show of a shard", scored("80", net, "--html", path, "--shard", "0/2")},
		{"--policy is for one file", []string{"columns", scores, scores, "--policy", file, "--html", path}},
		{"score MSR", []string{"columns", write(t, "c.csv", "correct,conf\n1,0.9\n0,0.1\n"), "--policy", file, "--html", path}},
		{"--html: ", []string{"columns", scores, "--html", "/dev/null/page.html"}},
	} {
		before := readText(t, path)
		status, stdout, stderr := evaluateWith(c.args...)
		require.NotZero(t, status, c.args)
		require.Contains(t, stderr, c.want)
		require.True(t, stdout == "" || c.args[0] == "columns" || slices.Contains(c.args, changed), "printed before the mistake was found")
		require.True(t, before == readText(t, path))
	}
}
