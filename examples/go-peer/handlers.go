package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"example.com/go-peer/muster"
)

// handlers are the kinds of tasks that this peer runs. Replace them by your own.
func handlers() map[string]muster.Handler {
	return map[string]muster.Handler{"echo": echo, "fail": fail, "slow": slow, "big": big}
}

// echo returns its payload.
func echo(_ context.Context, task *muster.Task) (any, error) { return task.Payload, nil }

// fail fails, with its payload as the message.
func fail(_ context.Context, task *muster.Task) (any, error) {
	var message string
	if json.Unmarshal(task.Payload, &message) != nil {
		message = string(task.Payload)
	}
	return nil, errors.New(message)
}

// slow runs for payload.seconds, tells how far it is, and returns its payload.
func slow(ctx context.Context, task *muster.Task) (any, error) {
	var payload struct {
		Seconds float64 `json:"seconds"`
	}
	if err := json.Unmarshal(task.Payload, &payload); err != nil || !(payload.Seconds >= 0 && payload.Seconds <= 86_400) {
		return nil, muster.Permanent(errors.New("the payload must have `seconds`: 0 to 86400"))
	}
	begun := time.Now()
	end := time.NewTimer(time.Duration(payload.Seconds * float64(time.Second)))
	defer end.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-end.C:
			return task.Payload, nil
		case <-tick.C:
			task.Progress(time.Since(begun).Seconds()/payload.Seconds, "working")
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// big returns a text of payload.bytes characters.
func big(_ context.Context, task *muster.Task) (any, error) {
	var payload struct {
		Bytes int `json:"bytes"`
	}
	if err := json.Unmarshal(task.Payload, &payload); err != nil || payload.Bytes < 0 || payload.Bytes > 32<<20 {
		return nil, muster.Permanent(errors.New("the payload must have `bytes`: 0 to 33554432"))
	}
	return strings.Repeat("x", payload.Bytes), nil
}
