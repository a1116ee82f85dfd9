package muster

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// link is the session, as the worker sees it. send returns the ID of the message, or "" if it can't be sent any more.
type link interface {
	send(messageType string, payload any, replyTo string) string
}

// worker has the tasks of this peer. It outlives connections: while there is none, tasks go on and results are kept.
// One lock guards all of it, which is never held while something waits.
type worker struct {
	cfg    *Config
	upload uploader
	slots  chan struct{} // one token for each handler that really runs

	mu       sync.Mutex
	link     link // nil while the peer is not connected
	attempts map[string]*attempt
	results  results
	sent     sentMessages
	allowed  allowance
	delays   delays
	leaving  *drain        // nil until the peer drains
	leaveBy  time.Time     // the limit of the drain
	announce bool          // whether the drain is the peer's own, so that the mesh must be told
	drained  chan struct{} // closed when nothing is left to do
}

// attempt is one that runs, or that waits for a slot.
type attempt struct {
	offer    taskOffer // renewed when the mesh offers the same task again
	received time.Time
	begun    bool
	accepts  int // how often the acceptance was sent
	ctx      context.Context
	cancel   context.CancelFunc
	timeout  *time.Timer

	progress *float64
	message  string
	changed  bool          // there is progress that the mesh has not been told
	wake     chan struct{} // tells the renewing goroutine that something has changed
}

func newWorker(cfg *Config, upload uploader) *worker {
	return &worker{
		cfg: cfg, upload: upload, slots: make(chan struct{}, cfg.Slots),
		attempts: map[string]*attempt{}, drained: make(chan struct{}),
	}
}

func (w *worker) log() *slog.Logger { return w.cfg.Log }

// hello is the hello of the next session.
func (w *worker) hello() hello {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.cfg.hello()
	if w.leaving != nil {
		h.Slots = 0
		h.Prefetch = false
	}
	for _, a := range w.attempts {
		h.Held = append(h.Held, a.offer.attemptRef)
	}
	for _, r := range w.results.kept {
		h.Held = append(h.Held, r.payload.attemptRef)
	}
	h.Held = h.Held[:min(len(h.Held), mostHeld)]
	return h
}

// connected is called after each welcome: running attempts renew their leases, and kept results are sent again.
func (w *worker) connected(l link, timestamp string, arrival time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delays.of(timestamp, arrival)
	w.link = l
	w.sent = sentMessages{}
	w.allowed = allowance{}
	if w.leaving != nil && w.announce {
		left := max(0, time.Until(w.leaveBy))
		l.send("drain", drain{Reason: w.leaving.Reason, TimeoutSeconds: left.Seconds()}, "")
	}
	for _, a := range w.attempts {
		w.sendProgress(a)
	}
	for _, r := range w.results.kept {
		w.sendResult(r)
	}
}

// disconnected drops what has not begun: the mesh gives it to other peers.
func (w *worker) disconnected() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.link = nil
	w.results.disconnected()
	for _, a := range w.attempts {
		if !a.begun {
			w.drop(a)
		}
	}
}

// handle is called for each message of a session, in their order.
func (w *worker) handle(message envelope, arrival time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.link == nil {
		return
	}
	late := w.delays.of(message.TS, arrival)
	switch message.Type {
	case "ping":
		if p, ok := read[ping](message); ok {
			w.reply(message, "pong", pong{SentAt: p.SentAt, ReceivedAt: arrival.UnixMilli()})
		}
	case "pong":
		w.confirmed(message.ReplyTo)
	case "error":
		if e, ok := read[errorReply](message); ok {
			w.refused(message.ReplyTo, e)
		}
	case "task_offer":
		if offer, ok := read[taskOffer](message); ok && late < offerTimeout {
			w.offered(offer, arrival)
		}
	case "task_return":
		if ref, ok := read[attemptRef](message); ok {
			w.returned(ref)
		}
	case "task_cancel":
		if ref, ok := read[attemptRef](message); ok {
			w.cancelled(ref)
		}
	case "drain":
		if d, ok := read[drain](message); ok {
			w.log().Info("the operator drains this peer", "reason", d.Reason)
			w.startDrain(d, false)
		}
	case "get_stats", "get_logs", "start_miner", "stop_miner", "deploy":
		w.reply(message, "error", errorReply{Code: 1003, Message: "this peer does not perform " + message.Type})
	}
}

// reply answers a message that is not about a task. A mesh that asks more often than a peer may answer gets no answer, instead
// of a peer whose session ends.
func (w *worker) reply(message envelope, messageType string, payload any) {
	if w.allowed.take(time.Now()) {
		w.link.send(messageType, payload, message.ID)
	}
}

// read reads a payload. One that does not have the form of its type is the mesh's fault, and is ignored.
func read[T any](message envelope) (T, bool) {
	var payload T
	err := json.Unmarshal(message.Payload, &payload)
	return payload, err == nil
}

// drop ends an attempt without a result. Its handler is told by its context.
func (w *worker) drop(a *attempt) {
	a.stop()
	if w.attempts[a.offer.TaskID] == a {
		delete(w.attempts, a.offer.TaskID)
	}
	w.beginNext()
	w.checkDrained()
}

func (a *attempt) stop() {
	a.cancel()
	if a.timeout != nil {
		a.timeout.Stop()
	}
}

// abandon stops everything, because the peer ends.
func (w *worker) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.link = nil
	for _, a := range w.attempts {
		a.stop()
	}
}

// drain makes the peer leave: what runs may end within the limit, nothing new begins.
func (w *worker) drain(reason string, limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.startDrain(drain{Reason: cut(reason, 500), TimeoutSeconds: min(limit.Seconds(), 86400)}, true)
}

// startDrain begins to leave. A second call can only make the limit earlier.
func (w *worker) startDrain(d drain, own bool) {
	limit := seconds(d.TimeoutSeconds)
	if by := time.Now().Add(limit); w.leaving == nil || by.Before(w.leaveBy) {
		w.leaveBy = by
		time.AfterFunc(limit, w.drainLimit)
	}
	if w.leaving != nil {
		return
	}
	w.leaving, w.announce = &d, own
	if own && w.link != nil {
		w.link.send("drain", d, "")
	}
	for _, a := range w.attempts {
		if !a.begun {
			w.giveBack(a, "the peer is leaving")
		}
	}
	w.checkDrained()
}

// drainLimit gives back what still runs. Results that the mesh has not confirmed by now are left to it.
func (w *worker) drainLimit() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.attempts {
		w.giveBack(a, "the peer is leaving, and the work has not ended in time")
	}
	w.results.kept = nil
	w.checkDrained()
}

func (w *worker) giveBack(a *attempt, reason string) {
	w.tell("task_release", a.offer.attemptRef, taskRelease{attemptRef: a.offer.attemptRef, Reason: reason, Begun: a.begun})
	w.drop(a)
}

func (w *worker) checkDrained() {
	if w.leaving == nil || len(w.attempts) > 0 || len(w.results.kept) > 0 {
		return
	}
	select {
	case <-w.drained:
	default:
		close(w.drained)
	}
}

// tell sends a message about an attempt, and remembers it for the error that may answer it.
func (w *worker) tell(messageType string, ref attemptRef, payload any) {
	if w.link == nil {
		return
	}
	if id := w.link.send(messageType, payload, ""); id != "" {
		w.sent.add(id, sentMessage{messageType: messageType, ref: ref})
	}
}

var errTimedOut = errors.New("the attempt took longer than its limit")
