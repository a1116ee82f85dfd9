package muster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Handler runs a task. Its result is turned into JSON. The context ends when the task is not wanted any more (cancelled,
// given to another peer, timed out, the process stops): the handler should then return soon, because it occupies its
// slot until it does. Handlers run at the same time, as many as there are slots.
type Handler func(ctx context.Context, task *Task) (any, error)

// Task is what a handler gets.
type Task struct {
	ID      string
	Kind    string
	Attempt int // 1 for the first attempt at this task. Earlier ones may have had effects.
	Payload json.RawMessage

	report func(fraction float64, message string)
}

// Progress tells the mesh how far the work is, from 0 to 1. It may be called often: at most one report a second is sent.
func (t *Task) Progress(fraction float64, message string) { t.report(fraction, message) }

// permanent is an error that no other attempt would avoid.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error: the task fails at once, and is not tried again.
func Permanent(err error) error { return permanent{err} }

// call runs a handler, and turns a panic into an error, so that one task does not end the others.
func call(ctx context.Context, handler Handler, task *Task) (value any, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("the handler panicked: %v", thrown)
		}
	}()
	return handler(ctx, task)
}

func failure(ref attemptRef, err error) taskResult {
	text := cut(err.Error(), 2000)
	retry := !errors.As(err, new(permanent))
	return taskResult{attemptRef: ref, Error: &text, Retry: &retry}
}
