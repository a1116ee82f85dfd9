package muster

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestWhatFollowsAnEnding(t *testing.T) {
	closed := func(reason string, code websocket.StatusCode, lasted time.Duration) ending {
		e := endedBy(fmt.Errorf("read: %w", websocket.CloseError{Code: code, Reason: reason}))
		e.welcomed, e.lasted = lasted > 0, lasted
		return e
	}
	for name, c := range map[string]struct {
		end  ending
		want verdict
	}{
		"drained":                 {closed("drained: by the operator", 1000, time.Hour), stop},
		"closed":                  {closed("", 1000, time.Hour), reconnect},
		"a fault":                 {closed("bad_message: no JSON", 4400, time.Hour), reconnect},
		"the wrong key":           {ending{err: fmt.Errorf("dial: %w", errWrongMeshKey)}, stop},
		"proof failed":            {closed("proof_failed: key", 4401, 0), reconnect},
		"revoked":                 {closed("revoked: by the operator", 4403, time.Hour), stop},
		"an unknown 4403":         {closed("banished: for ever", 4403, time.Hour), stop},
		"silent":                  {closed("ping_timeout: 2", 4408, time.Hour), reconnect},
		"superseded":              {closed("superseded: newer session", 4409, time.Hour), stop},
		"superseded at once":      {closed("superseded: newer session", 4409, time.Second), waitForKey},
		"key in use":              {rejectedBy(rejection{Code: "key_in_use"}, ending{}), waitForKey},
		"mesh full":               {rejectedBy(rejection{Code: "mesh_full"}, ending{}), reconnect},
		"not allowed":             {rejectedBy(rejection{Code: "not_allowed"}, ending{}), stop},
		"an unknown rejection":    {rejectedBy(rejection{Code: "banished"}, closed("banished: x", 4403, 0)), stop},
		"restarting":              {closed("mesh_restarting: soon back", 4503, time.Hour), reconnect},
		"broken":                  {endedBy(errors.New("EOF")), reconnect},
		"an unknown code":         {closed("new: code", 4999, time.Hour), reconnect},
		"another key of the mesh": {ending{status: 409, reason: "mesh_key_unknown"}, takeNext},
		"a wrong clock":           {ending{status: 401, reason: "clock_skew"}, reconnect},
		"a proxy":                 {ending{status: 403}, reconnect},
	} {
		equal(t, name, afterEnding(c.end), c.want)
	}
}

func TestBackoff(t *testing.T) {
	const almostOne = 0.999999
	near := func(what string, got, want time.Duration) {
		t.Helper()
		if math.Abs(float64(got-want)) > float64(time.Millisecond) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	var b backoff
	near("the first", b.afterSession(almostOne), 500*time.Millisecond)
	for range 4 {
		b.sessionEnded(time.Second, false)
	}
	near("after four failures", b.afterDial(time.Hour, almostOne), 4*time.Second)
	for range 100 {
		b.sessionEnded(time.Second, false)
	}
	near("after many", b.afterDial(time.Hour, almostOne), 30*time.Second)
	b.sessionEnded(time.Minute, false)
	near("after a long session", b.afterSession(almostOne), 500*time.Millisecond)
	b.failures = 9
	b.sessionEnded(0, true)
	equal(t, "failures after a restart", b.failures, 0)

	b.position = &position{Slot: 200, PerSecond: 10}
	near("at its position", b.afterSession(0), 20*time.Second)
	near("soon after the session", b.afterDial(0, 0), 500*time.Millisecond)
	near("as long as the mesh is away", b.afterDial(8*time.Second, 0.5), 12*time.Second)
	near("not longer than its position", b.afterDial(time.Hour, almostOne), 40*time.Second)
	b.position = &position{Slot: 10_000_000, PerSecond: 1}
	near("the longest", b.afterSession(0), longestWait)
	near("the longest", b.afterDial(24*time.Hour, almostOne), longestWait)

	for _, want := range []float64{5, 10, 20, 40, 80, 160, 300, 300} {
		near("key in use", b.keyInUse(0.5), seconds(want))
	}
}

func TestRetryAfter(t *testing.T) {
	number := func(n float64) *float64 { return &n }
	for _, c := range []struct {
		value *float64
		want  time.Duration
	}{
		{nil, 0}, {number(0), 0}, {number(1.5), 1500 * time.Millisecond}, {number(4000), longestRetryAfter},
		{number(-1), longestRetryAfter}, {number(1e300), longestRetryAfter}, {number(math.NaN()), longestRetryAfter},
	} {
		equal(t, "retry_after", retryAfter(c.value), c.want)
	}
}

func TestDelays(t *testing.T) {
	var d delays
	mesh := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) // the two clocks differ by years
	own := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(sent, took time.Duration) time.Duration {
		return d.of(mesh.Add(sent).Format(time.RFC3339Nano), own.Add(sent+took))
	}
	at(0, 50*time.Millisecond)
	equal(t, "as fast", at(time.Second, 50*time.Millisecond), 0)
	equal(t, "stopped", at(2*time.Second, 8050*time.Millisecond), 8*time.Second)
	equal(t, "in the next period", at(6*time.Minute, time.Second), 950*time.Millisecond)
	equal(t, "no time", d.of("today", own), 0)
}

func TestAllowance(t *testing.T) {
	var a allowance
	now := time.Now()
	taken := func() (n int) {
		for a.take(now) {
			n++
		}
		return n
	}
	equal(t, "at once", taken(), 90)
	now = now.Add(time.Second)
	equal(t, "a second later", taken(), 45)
	now = now.Add(time.Hour)
	equal(t, "an hour later", taken(), 90)
}
