package muster

import (
	"context"
	"time"
)

const (
	offerTimeout = 5 * time.Second
	mostHeld     = 40
)

// offered answers an offer: accept, refuse, or give it back. The lock is held.
func (w *worker) offered(offer taskOffer, arrival time.Time) {
	if offer.TaskID == "" || offer.Fence <= 0 {
		return
	}
	if known := w.attempts[offer.TaskID]; known != nil {
		w.offeredAgain(known, offer, arrival)
		return
	}
	if w.results.has(offer.attemptRef) {
		return // a repeated offer of an attempt that has ended here
	}
	handler := w.cfg.handler(offer.Kind)
	running, waiting := w.load()
	switch {
	case w.leaving != nil:
		w.tell("task_release", offer.attemptRef, taskRelease{attemptRef: offer.attemptRef, Reason: "the peer is leaving"})
	case handler == nil:
		w.refuse(offer, "this peer does not handle this kind")
	case running < w.cfg.Slots:
		w.begin(w.take(offer, arrival))
	case w.cfg.Prefetch && waiting == 0:
		w.accept(w.take(offer, arrival))
	default:
		w.refuse(offer, "all slots are busy")
	}
}

func (w *worker) refuse(offer taskOffer, reason string) {
	w.tell("task_refuse", offer.attemptRef, taskRefuse{attemptRef: offer.attemptRef, Reason: reason})
}

// load counts the attempts that run, and those that wait for a slot.
func (w *worker) load() (running, waiting int) {
	for _, a := range w.attempts {
		if a.begun {
			running++
		} else {
			waiting++
		}
	}
	return running, waiting
}

// take makes an attempt of an offer. An older result of the same task is worthless now: the mesh has lost it.
func (w *worker) take(offer taskOffer, arrival time.Time) *attempt {
	w.results.dropTask(offer.TaskID)
	ctx, cancel := context.WithCancel(context.Background())
	a := &attempt{offer: offer, received: arrival, ctx: ctx, cancel: cancel, wake: make(chan struct{}, 1)}
	w.attempts[offer.TaskID] = a
	go w.renewLease(a)
	return a
}

// begin accepts an attempt and starts its handler.
func (w *worker) begin(a *attempt) {
	a.begun = true
	w.accept(a)
	w.limitTime(a)
	go w.run(a)
}

func (w *worker) accept(a *attempt) {
	a.accepts++
	w.tell("task_accept", a.offer.attemptRef, taskAccept{attemptRef: a.offer.attemptRef, Queued: !a.begun})
}

// acceptLater sends an acceptance again that the mesh could not take, twice at most and while the offer is fresh.
func (w *worker) acceptLater(a *attempt, e errorReply) {
	pause := max(retryAfter(e.RetryAfter), 500*time.Millisecond)
	if a.accepts > 2 || time.Since(a.received)+pause > offerTimeout {
		return // any later message about the attempt resumes it, if no other peer has begun it by then
	}
	asked, fence := w.link, a.offer.Fence
	time.AfterFunc(pause, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.link == asked && a.ctx.Err() == nil && a.offer.Fence == fence {
			w.accept(a)
		}
	})
}

// limitTime ends the attempt when it has taken too long.
func (w *worker) limitTime(a *attempt) {
	if a.timeout != nil {
		a.timeout.Stop()
		a.timeout = nil
	}
	if limit := a.offer.AttemptTimeoutSeconds; limit > 0 {
		ref := a.offer.attemptRef
		a.timeout = time.AfterFunc(seconds(limit), func() { w.end(a, ref.Fence, failure(ref, errTimedOut)) })
	}
}

// offeredAgain goes on with an attempt that the mesh had lost sight of, under its new fence. A repeated offer is accepted
// again, because its first acceptance may have been lost.
func (w *worker) offeredAgain(a *attempt, offer taskOffer, arrival time.Time) {
	if offer.Fence < a.offer.Fence {
		return
	}
	a.offer, a.received, a.accepts = offer, arrival, 0
	w.accept(a)
	if a.begun {
		w.limitTime(a)
	}
	a.notify()
}

// beginNext starts the attempt that waits, if a slot is free.
func (w *worker) beginNext() {
	if running, _ := w.load(); running >= w.cfg.Slots || w.leaving != nil {
		return
	}
	for _, a := range w.attempts {
		if !a.begun {
			w.begin(a)
			return
		}
	}
}

// returned gives an attempt back that waits here, because another peer could begin it.
func (w *worker) returned(ref attemptRef) {
	if a := w.attempts[ref.TaskID]; a != nil && !a.begun && a.offer.Fence == ref.Fence {
		w.giveBack(a, "the mesh asked for it")
	}
}

// cancelled stops an attempt, or drops its result. A cancel for an older attempt than this one means nothing.
func (w *worker) cancelled(ref attemptRef) {
	if a := w.attempts[ref.TaskID]; a != nil && a.offer.Fence <= ref.Fence {
		w.drop(a)
	}
	w.results.dropUpTo(ref)
	w.checkDrained()
}

func (a *attempt) notify() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// renewLease sends progress every third of the lease, and soon after something has changed, while the attempt is held.
func (w *worker) renewLease(a *attempt) {
	last := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-a.ctx.Done():
			return
		case <-timer.C:
		case <-a.wake:
		}
		w.mu.Lock()
		pause := renewal(a.offer.LeaseSeconds)
		if a.changed {
			pause = time.Second
		}
		if time.Since(last) >= pause && a.ctx.Err() == nil {
			last = time.Now()
			w.sendProgress(a)
			pause = renewal(a.offer.LeaseSeconds)
		}
		w.mu.Unlock()
		timer.Reset(time.Until(last.Add(pause)))
	}
}

// renewal is a third of the lease, but at most two messages a second are allowed.
func renewal(leaseSeconds float64) time.Duration {
	return max(seconds(leaseSeconds/3), 500*time.Millisecond)
}

func (w *worker) sendProgress(a *attempt) {
	if w.link == nil {
		return
	}
	a.changed = false
	w.tell("task_progress", a.offer.attemptRef, taskProgress{
		attemptRef: a.offer.attemptRef, Progress: a.progress, Message: a.message, Queued: !a.begun,
	})
}
