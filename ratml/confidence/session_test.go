package confidence_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/radius"
)

// A session gives, part after part, what runs of their own give, and builds the network as often as one of them.
func TestSession(t *testing.T) {
	parts, err := dataset.Split(shapes(t, 22), 1, 9, 13)
	if err != nil {
		t.Fatal(err)
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		calls := 0
		c := small(t, be, &calls)
		calls = 0
		scorer := confidence.Scorer{BatchSize: 4}
		session, err := scorer.Open(c, scores(t, radius.Sound)...)
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		for i, part := range parts {
			got, err := session.Run(context.Background(), part)
			if err != nil {
				t.Fatal(err)
			}
			if calls > 3 {
				t.Errorf("the network was built %d times, want 3", calls)
			}
			before := calls
			if want := score(t, scorer, c, part, scores(t, radius.Sound)...); !reflect.DeepEqual(got, want) {
				t.Errorf("part %d differs from a run of its own", i+1)
			}
			calls = before
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := session.Run(ctx, parts[0]); err == nil {
			t.Error("a cancelled run ended without error")
		}
		if _, err := session.Run(context.Background(), parts[0]); err == nil || !strings.Contains(err.Error(), "failed") {
			t.Errorf("after a failure: %v", err)
		}
		if _, err := scorer.Open(c, confidence.MSR{}, confidence.MSR{}); err == nil || !strings.Contains(err.Error(), "listed twice") {
			t.Errorf("a score twice: %v", err)
		}
	})
}
