package muster

import (
	"slices"
	"time"
)

const (
	// confirmPause keeps the pings of many short tasks far below the 45 messages a second that a peer may send.
	confirmPause = 100 * time.Millisecond
	// mostKeptResults is two for each slot, of which there are 63 at most.
	mostKeptResults = 128
	firstResend     = 500 * time.Millisecond
	longestResend   = 10 * time.Second
)

// result is one that the mesh has not confirmed.
type result struct {
	payload taskResult
	sent    int // its number among what was sent in this session; 0: it has to be sent (again)
	pause   time.Duration
}

// results keeps results until the mesh has confirmed them.
type results struct {
	kept    []*result // oldest first
	counter int       // numbers what is sent in this session
	// The ping that asks for confirmation. One confirms all results that were sent before it.
	ping      string
	pingAfter int
	scheduled bool
	lastPing  time.Time
}

func (r *results) keep(payload taskResult) *result {
	if len(r.kept) == mostKeptResults {
		r.kept = r.kept[1:]
	}
	kept := &result{payload: payload}
	r.kept = append(r.kept, kept)
	return kept
}

func (r *results) disconnected() {
	r.ping, r.scheduled = "", false
	for _, kept := range r.kept {
		kept.sent, kept.pause = 0, 0
	}
}

func (r *results) drop(unwanted func(*result) bool) { r.kept = slices.DeleteFunc(r.kept, unwanted) }

func (r *results) dropTask(taskID string) {
	r.drop(func(kept *result) bool { return kept.payload.TaskID == taskID })
}

func (r *results) dropUpTo(ref attemptRef) {
	r.drop(func(kept *result) bool { return kept.payload.TaskID == ref.TaskID && kept.payload.Fence <= ref.Fence })
}

// has says whether there is a result of this attempt, or of a newer one of the same task.
func (r *results) has(ref attemptRef) bool {
	return slices.ContainsFunc(r.kept, func(kept *result) bool {
		return kept.payload.TaskID == ref.TaskID && kept.payload.Fence >= ref.Fence
	})
}

func (r *results) find(ref attemptRef) *result {
	for _, kept := range r.kept {
		if kept.payload.attemptRef == ref {
			return kept
		}
	}
	return nil
}

// sendResult sends a kept result, and sees to it that the mesh is asked for its confirmation. The lock is held.
func (w *worker) sendResult(r *result) {
	if w.link == nil {
		return
	}
	w.results.counter++
	r.sent = w.results.counter
	w.tell("task_result", r.payload.attemptRef, r.payload)
	w.askConfirmation()
}

func (w *worker) askConfirmation() {
	if w.results.ping != "" || w.results.scheduled {
		return
	}
	w.results.scheduled = true
	asked := w.link
	time.AfterFunc(max(0, time.Until(w.results.lastPing.Add(confirmPause))), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.link != asked || !w.results.scheduled {
			return // another session, which asks by itself
		}
		w.results.scheduled = false
		w.allowed.take(time.Now())
		w.results.lastPing = time.Now()
		w.results.pingAfter = w.results.counter
		w.results.ping = w.link.send("ping", ping{SentAt: float64(time.Now().UnixMilli()), Confirm: true}, "")
	})
}

// confirmed is called for each pong. Results that were sent before its ping, and not refused, are committed.
func (w *worker) confirmed(replyTo string) {
	if replyTo == "" || replyTo != w.results.ping {
		return
	}
	w.results.ping = ""
	w.results.drop(func(r *result) bool { return r.sent != 0 && r.sent <= w.results.pingAfter })
	if slices.ContainsFunc(w.results.kept, func(r *result) bool { return r.sent != 0 }) {
		w.askConfirmation()
	}
	w.checkDrained()
}

// sendLater sends a result again that the mesh could not take now.
func (w *worker) sendLater(r *result, atLeast time.Duration) {
	r.sent = 0 // so that the next pong does not confirm it
	r.pause = min(max(2*r.pause, firstResend), longestResend)
	asked := w.link
	time.AfterFunc(atLeast+r.pause, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.link == asked && r.sent == 0 && slices.Contains(w.results.kept, r) {
			w.sendResult(r)
		}
	})
}
