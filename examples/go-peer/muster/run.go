package muster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

const (
	largestInline = 262_144
	largestResult = 26_214_400
)

// run calls the handler of an attempt that was accepted, and reports what came of it.
func (w *worker) run(a *attempt) {
	// A handler that was cancelled may still occupy its slot. The mesh counts it as free, so this attempt waits here.
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-a.ctx.Done():
		return
	}
	w.mu.Lock()
	task := &Task{
		ID: a.offer.TaskID, Kind: a.offer.Kind, Attempt: a.offer.Attempt, Payload: a.offer.Payload,
		report: func(fraction float64, message string) { w.report(a, fraction, message) },
	}
	w.mu.Unlock()
	if task.Payload == nil {
		task.Payload = json.RawMessage("null")
	}
	value, err := call(a.ctx, w.cfg.handler(task.Kind), task)
	var text []byte
	if err == nil {
		if text, err = marshal(value); err != nil {
			err = Permanent(fmt.Errorf("the result is no JSON: %w", err))
		}
	}
	for done := false; !done; {
		done = w.deliver(a, text, err)
	}
}

// deliver ends an attempt, after an upload if its result is large. It returns false if the mesh has offered the task again
// meanwhile: then the result belongs to a newer attempt, and is made anew.
func (w *worker) deliver(a *attempt, text []byte, err error) bool {
	w.mu.Lock()
	offer := a.offer
	w.mu.Unlock()
	if err != nil {
		return w.end(a, offer.Fence, failure(offer.attemptRef, err))
	}
	result, body, err := encodeResult(offer, text)
	if err == nil && body != nil {
		result.Uploaded, err = w.upload.send(a.ctx, offer, body)
	}
	switch {
	case errors.Is(err, errDropped):
		w.mu.Lock()
		defer w.mu.Unlock()
		if a.offer.Fence != offer.Fence {
			return false
		}
		w.drop(a)
		return true
	case err != nil:
		return w.end(a, offer.Fence, failure(offer.attemptRef, err))
	}
	return w.end(a, offer.Fence, result)
}

// encodeResult makes the message for a result, and the bytes to be uploaded first, if it is too large for a message.
func encodeResult(offer taskOffer, text []byte) (taskResult, []byte, error) {
	result := taskResult{attemptRef: offer.attemptRef, OK: true, Result: text}
	body := text
	if offer.SealTo != "" {
		container, err := sealResult(offer.SealTo, text)
		if err != nil {
			return result, nil, Permanent(err)
		}
		body = container
		result.Sealed = true
		if result.Result, err = marshal(container); err != nil { // base64 in quotes
			return result, nil, err
		}
	}
	if len(result.Result) <= largestInline {
		return result, nil, nil
	}
	if len(body) > largestResult {
		return result, nil, Permanent(fmt.Errorf("the result has %d bytes; at most %d are possible", len(body), largestResult))
	}
	if offer.Upload == "" {
		return result, nil, Permanent(fmt.Errorf("the result has %d bytes, and the mesh takes no uploads", len(body)))
	}
	result.Result = json.RawMessage("null")
	return result, body, nil
}

// end replaces an attempt by its result. It returns false if the mesh has offered the task again meanwhile.
func (w *worker) end(a *attempt, fence int64, result taskResult) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.attempts[a.offer.TaskID] != a {
		return true // cancelled, or timed out, and not wanted any more
	}
	if a.offer.Fence != fence {
		return false
	}
	a.stop()
	delete(w.attempts, a.offer.TaskID)
	w.sendResult(w.results.keep(result))
	w.beginNext()
	return true
}

func (w *worker) report(a *attempt, fraction float64, message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !math.IsNaN(fraction) {
		fraction = min(max(fraction, 0), 1)
		a.progress = &fraction
	}
	a.message = cut(message, 500)
	a.changed = true
	a.notify()
}

var errDropped = errors.New("the attempt is not wanted any more")

// uploader stores large results at the mesh.
type uploader interface {
	send(ctx context.Context, offer taskOffer, body []byte) (*uploaded, error)
}
