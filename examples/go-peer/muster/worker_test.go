package muster

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for something that other goroutines do, before it fails.
const patience = 20 * time.Second

// fakeLink records what a worker sends.
type fakeLink struct {
	mu   sync.Mutex
	sent []envelope
	more chan struct{}
}

func (l *fakeLink) send(messageType string, payload any, replyTo string) string {
	message, err := newEnvelope(messageType, "peer", "mesh", payload, replyTo)
	if err != nil {
		panic(err)
	}
	l.mu.Lock()
	l.sent = append(l.sent, message)
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return message.ID
}

// next takes the next message of a type. Those of other types before it are skipped.
func (l *fakeLink) next(t *testing.T, messageType string) envelope {
	t.Helper()
	deadline := time.After(patience)
	for {
		l.mu.Lock()
		for len(l.sent) > 0 {
			message := l.sent[0]
			l.sent = l.sent[1:]
			if message.Type == messageType {
				l.mu.Unlock()
				return message
			}
		}
		l.mu.Unlock()
		select {
		case <-l.more:
		case <-deadline:
			t.Fatalf("no %s was sent", messageType)
		}
	}
}

// bench is a worker with handlers that tests control.
type bench struct {
	*worker
	t       *testing.T
	link    *fakeLink
	begun   chan *Task
	finish  chan error
	stopped chan error
	uploads chan taskOffer
	answers chan error
}

func (b *bench) send(_ context.Context, offer taskOffer, body []byte) (*uploaded, error) {
	b.uploads <- offer
	return digest(body), <-b.answers
}

func newBench(t *testing.T, change func(*Config)) *bench {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		t: t, begun: make(chan *Task, 10), finish: make(chan error, 10), stopped: make(chan error, 10),
		uploads: make(chan taskOffer, 10), answers: make(chan error, 10),
	}
	work := func(ctx context.Context, task *Task) (any, error) {
		b.begun <- task
		select {
		case err := <-b.finish:
			return task.Payload, err
		case <-ctx.Done():
			b.stopped <- ctx.Err()
			return nil, ctx.Err()
		}
	}
	cfg := &Config{Key: key, Slots: 1, Handlers: map[string]Handler{"work": work}, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(cfg)
	}
	if err := cfg.check(); err != nil {
		t.Fatal(err)
	}
	b.worker = newWorker(cfg, b)
	b.connect()
	t.Cleanup(b.abandon)
	return b
}

func (b *bench) connect() {
	b.link = &fakeLink{more: make(chan struct{}, 1)}
	b.connected(b.link, time.Now().UTC().Format(time.RFC3339Nano), time.Now())
}

func (b *bench) receive(messageType string, payload any, replyTo string) {
	b.receiveAt(time.Now(), messageType, payload, replyTo)
}

func (b *bench) receiveAt(sent time.Time, messageType string, payload any, replyTo string) {
	b.t.Helper()
	message, err := newEnvelope(messageType, "mesh", "peer", payload, replyTo)
	if err != nil {
		b.t.Fatal(err)
	}
	message.TS = sent.UTC().Format(time.RFC3339Nano)
	b.handle(message, time.Now())
}

func taskNumber(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

func offerOf(task int, fence int64) taskOffer {
	return taskOffer{attemptRef: attemptRef{taskNumber(task), fence}, Kind: "work", Payload: json.RawMessage(`1`), Attempt: 1, LeaseSeconds: 60}
}

func payloadOf[T any](t *testing.T, message envelope) T {
	t.Helper()
	payload, ok := read[T](message)
	if !ok {
		t.Fatalf("the payload of %s: %s", message.Type, message.Payload)
	}
	return payload
}

func (b *bench) pong(ping envelope) { b.receive("pong", pong{}, ping.ID) }

func (b *bench) held() []attemptRef { return b.hello().Held }

func await[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case value := <-c:
		return value
	case <-time.After(patience):
		t.Fatalf("timed out: %s", what)
		panic("unreachable")
	}
}

func TestATaskIsAcceptedRunAndConfirmed(t *testing.T) {
	b := newBench(t, nil)
	b.receive("task_offer", offerOf(1, 7), "")
	equal(t, "accepted", payloadOf[taskAccept](t, b.link.next(t, "task_accept")), taskAccept{attemptRef: attemptRef{taskNumber(1), 7}})
	await(t, "begun", b.begun)
	b.finish <- nil
	result := payloadOf[taskResult](t, b.link.next(t, "task_result"))
	equal(t, "ok", result.OK, true)
	equal(t, "result", string(result.Result), "1")
	ping := b.link.next(t, "ping")
	equal(t, "held before the pong", len(b.held()), 1)
	b.pong(ping)
	equal(t, "held after the pong", len(b.held()), 0)
}

func TestOffers(t *testing.T) {
	other := offerOf(2, 1)
	other.Kind = "other"
	for _, c := range []struct {
		name   string
		change func(*Config)
		before func(*bench)
		offer  taskOffer
		want   string
	}{
		{"a free slot", nil, nil, offerOf(2, 1), "task_accept"},
		{"another kind", nil, nil, other, "task_refuse"},
		{"no room", nil, func(b *bench) { b.receive("task_offer", offerOf(1, 1), "") }, offerOf(2, 1), "task_refuse"},
		{"no room to wait", func(c *Config) { c.Prefetch = true }, func(b *bench) {
			b.receive("task_offer", offerOf(1, 1), "")
			b.receive("task_offer", offerOf(3, 1), "")
		}, offerOf(2, 1), "task_refuse"},
		{"a leaving peer", nil, func(b *bench) {
			b.receive("task_offer", offerOf(1, 1), "")
			b.receive("drain", drain{TimeoutSeconds: 60}, "")
		}, offerOf(2, 1), "task_release"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.change)
			if c.before != nil {
				c.before(b)
			}
			b.receive("task_offer", c.offer, "")
			answer := b.link.next(t, c.want)
			for payloadOf[attemptRef](t, answer) != c.offer.attemptRef {
				answer = b.link.next(t, c.want)
			}
		})
	}
}

func TestALateOfferIsIgnored(t *testing.T) {
	b := newBench(t, nil)
	b.receiveAt(time.Now().Add(-6*time.Second), "task_offer", offerOf(1, 1), "")
	b.receiveAt(time.Now().Add(-time.Second), "task_offer", offerOf(2, 1), "")
	equal(t, "accepted", payloadOf[attemptRef](t, b.link.next(t, "task_accept")).TaskID, taskNumber(2))
}

func TestAWaitingTask(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Prefetch = true })
	b.receive("task_offer", offerOf(1, 1), "")
	b.link.next(t, "task_accept")
	await(t, "begun", b.begun)
	b.receive("task_offer", offerOf(2, 1), "")
	equal(t, "queued", payloadOf[taskAccept](t, b.link.next(t, "task_accept")).Queued, true)

	b.receive("task_return", attemptRef{taskNumber(1), 1}, "") // it has begun, so this changes nothing
	b.receive("task_return", attemptRef{taskNumber(2), 1}, "")
	released := payloadOf[taskRelease](t, b.link.next(t, "task_release"))
	equal(t, "released", released.attemptRef, attemptRef{taskNumber(2), 1})
	equal(t, "begun", released.Begun, false)

	b.receive("task_offer", offerOf(3, 1), "")
	b.link.next(t, "task_accept")
	b.finish <- nil
	again := payloadOf[taskAccept](t, b.link.next(t, "task_accept"))
	equal(t, "begins in the free slot", again, taskAccept{attemptRef: attemptRef{taskNumber(3), 1}})
	equal(t, "begun", await(t, "begun", b.begun).ID, taskNumber(3))
}

func TestCancelled(t *testing.T) {
	b := newBench(t, nil)
	b.receive("task_offer", offerOf(1, 5), "")
	await(t, "begun", b.begun)
	b.receive("task_cancel", attemptRef{taskNumber(1), 4}, "")
	equal(t, "held after a cancel of an older attempt", len(b.held()), 1)
	b.receive("task_cancel", attemptRef{taskNumber(1), 5}, "")
	await(t, "stopped", b.stopped)
	equal(t, "held", len(b.held()), 0)
	b.receive("task_offer", offerOf(2, 1), "")
	equal(t, "the slot is free", await(t, "begun", b.begun).ID, taskNumber(2))
}

func TestLeaseLost(t *testing.T) {
	b := newBench(t, nil)
	b.receive("task_offer", offerOf(1, 5), "")
	accept := b.link.next(t, "task_accept")
	await(t, "begun", b.begun)
	b.receive("error", errorReply{Code: 1004, Details: "lease_lost"}, newUUID())
	equal(t, "held after an error that answers nothing", len(b.held()), 1)
	b.receive("error", errorReply{Code: 1004, Details: "lease_lost"}, accept.ID)
	await(t, "stopped", b.stopped)
	equal(t, "held", len(b.held()), 0)
}

func TestAHigherFenceGoesOnWithTheWork(t *testing.T) {
	b := newBench(t, nil)
	b.receive("task_offer", offerOf(1, 5), "")
	await(t, "begun", b.begun)
	b.link.next(t, "task_accept")
	for _, fence := range []int64{5, 4, 6} { // repeated, of an older attempt, of a newer one
		b.receive("task_offer", offerOf(1, fence), "")
	}
	for _, fence := range []int64{5, 6} {
		equal(t, "accepted", payloadOf[taskAccept](t, b.link.next(t, "task_accept")).Fence, fence)
	}
	b.finish <- nil
	equal(t, "result", payloadOf[taskResult](t, b.link.next(t, "task_result")).Fence, 6)
	equal(t, "begun once", len(b.begun), 0)
}

func TestResultsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		details string
		want    string // what comes next: a result again, a failure, or nothing
	}{
		{"unavailable", "again"}, {"storage_full", "again"}, {"conflict", "failure"}, {"invalid_request", "failure"},
		{"lease_lost", "dropped"}, {"not_found", "dropped"}, {"code_of_the_future", "dropped"},
	} {
		t.Run(c.details, func(t *testing.T) {
			b := newBench(t, nil)
			b.receive("task_offer", offerOf(1, 5), "")
			await(t, "begun", b.begun)
			b.finish <- nil
			result := b.link.next(t, "task_result")
			ping := b.link.next(t, "ping")
			b.receive("error", errorReply{Code: 1004, Details: c.details}, result.ID)
			b.pong(ping)
			if c.want == "dropped" {
				equal(t, "held", len(b.held()), 0)
				return
			}
			equal(t, "held", len(b.held()), 1)
			again := b.link.next(t, "task_result")
			equal(t, "ok", payloadOf[taskResult](t, again).OK, c.want == "again")
			if again.ID == result.ID {
				t.Error("the ID of the message was used twice")
			}
			b.pong(b.link.next(t, "ping"))
			equal(t, "held", len(b.held()), 0)
		})
	}
}

func TestAnAcceptanceIsSentAgain(t *testing.T) {
	b := newBench(t, nil)
	b.receive("task_offer", offerOf(1, 5), "")
	for range 2 {
		b.receive("error", errorReply{Code: 1004, Details: "unavailable"}, b.link.next(t, "task_accept").ID)
	}
	b.link.next(t, "task_accept")
	equal(t, "begun once", await(t, "begun", b.begun).ID, taskNumber(1))
	equal(t, "held", len(b.held()), 1)
}

func TestReconnecting(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Slots = 2; c.Prefetch = true })
	for task := range 3 {
		b.receive("task_offer", offerOf(task, 5), "")
	}
	await(t, "begun", b.begun)
	await(t, "begun", b.begun)
	b.disconnected()
	equal(t, "the waiting one is dropped", len(b.held()), 2)
	b.finish <- errors.New("broken")
	for len(b.sentResults()) == 0 {
		time.Sleep(time.Millisecond)
	}
	equal(t, "held", len(b.held()), 2)
	b.connect()
	b.link.next(t, "task_progress")
	equal(t, "the failure", *payloadOf[taskResult](t, b.link.next(t, "task_result")).Error, "broken")
	b.pong(b.link.next(t, "ping"))
	equal(t, "held", len(b.held()), 1)
}

func (b *bench) sentResults() []*result {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.results.kept
}

func TestDraining(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Prefetch = true })
	b.receive("task_offer", offerOf(1, 5), "")
	await(t, "begun", b.begun)
	b.receive("task_offer", offerOf(2, 5), "")
	b.drain("over", time.Hour)
	equal(t, "announced", payloadOf[drain](t, b.link.next(t, "drain")).TimeoutSeconds, 3600)
	b.receive("drain", drain{TimeoutSeconds: 7200}, "")
	equal(t, "released", payloadOf[taskRelease](t, b.link.next(t, "task_release")).attemptRef, attemptRef{taskNumber(2), 5})
	b.disconnected()
	equal(t, "slots", b.hello().Slots, 0)
	b.connect()
	if again := payloadOf[drain](t, b.link.next(t, "drain")).TimeoutSeconds; again > 3600 {
		t.Errorf("announced again: %v s", again)
	}
	b.finish <- nil
	ping := b.link.next(t, "ping")
	select {
	case <-b.drained:
		t.Error("drained before the result was confirmed")
	default:
	}
	b.pong(ping)
	await(t, "drained", b.drained)
}

func TestTheLimitOfADrain(t *testing.T) {
	b := newBench(t, nil)
	b.receive("task_offer", offerOf(1, 5), "")
	await(t, "begun", b.begun)
	b.drain("over", time.Hour)
	b.receive("drain", drain{TimeoutSeconds: 0}, "") // the operator's is shorter
	equal(t, "begun", payloadOf[taskRelease](t, b.link.next(t, "task_release")).Begun, true)
	await(t, "stopped", b.stopped)
	await(t, "drained", b.drained)
}

func TestTheAttemptTimeout(t *testing.T) {
	b := newBench(t, nil)
	offer := offerOf(1, 5)
	offer.AttemptTimeoutSeconds = 0.1
	b.receive("task_offer", offer, "")
	await(t, "stopped", b.stopped)
	result := payloadOf[taskResult](t, b.link.next(t, "task_result"))
	equal(t, "ok", result.OK, false)
	equal(t, "retry", *result.Retry, true)
}
