package report_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/ratml/rat/ratml/report"
)

func ExamplePage() {
	rep, err := report.Evaluate(simulated("net", 1), report.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	page := report.Page{
		Leaderboard: rep,
		Facts:       []report.Fact{{Name: "images", Value: "drawn by <chance>"}},
		Command:     []string{"go", "run", "./simulate", "--name", "my net"},
	}
	var b bytes.Buffer // or page.Save("report.html")
	if err := page.Write(&b); err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if strings.HasPrefix(line, "<h1") || strings.HasPrefix(line, "<pre>") || strings.Contains(line, "chance") {
			fmt.Println(line)
		}
	}
	// Output:
	// <h1 title="net on simulated"><bdi>net</bdi> on <bdi>simulated</bdi></h1>
	// <pre><code>go run ./simulate --name &#39;my net&#39;</code></pre>
	// <dt><bdi>images</bdi></dt><dd><bdi>drawn by &lt;chance&gt;</bdi></dd>
}
