package muster

import (
	"math"
	"time"
)

const (
	longestWait       = 10 * time.Minute
	longestRetryAfter = 5 * time.Minute
	steadySession     = time.Minute
)

// backoff says when to dial again. It is pure: `random` (0 to 1, 1 excluded) comes from its caller.
type backoff struct {
	position *position
	failures int
	inUse    int // how often the key was in use since the last steady session
}

// sessionEnded counts a session as a failure or as a success.
func (b *backoff) sessionEnded(lasted time.Duration, restarting bool) {
	if lasted >= steadySession {
		b.inUse = 0
	}
	if restarting || lasted >= steadySession {
		b.failures = 0
	} else {
		b.failures++
	}
}

// afterSession is the wait after a session.
func (b *backoff) afterSession(random float64) time.Duration {
	return min(b.positionWait()+b.jitter(random), longestWait)
}

// afterDial is the wait after a dial that failed. `since` is the time since the last session ended.
func (b *backoff) afterDial(since time.Duration, random float64) time.Duration {
	if b.position == nil {
		return b.jitter(random)
	}
	limit := max(15*time.Second, b.positionWait())
	spread := min(max(since, 500*time.Millisecond), limit)
	return min(time.Duration(float64(spread)*(1+random)), longestWait)
}

// keyInUse is the wait after another process used this peer's key.
func (b *backoff) keyInUse(random float64) time.Duration {
	wait := math.Min(5*math.Pow(2, float64(b.inUse)), longestRetryAfter.Seconds())
	b.inUse = min(b.inUse+1, 16)
	return seconds(wait * (0.75 + random/2))
}

func (b *backoff) positionWait() time.Duration {
	if b.position == nil || b.position.PerSecond <= 0 {
		return 0
	}
	return seconds(b.position.Slot / b.position.PerSecond)
}

func (b *backoff) jitter(random float64) time.Duration {
	exponent := float64(max(b.failures, 1) - 1)
	return seconds(math.Min(30, 0.5*math.Pow(2, exponent)) * random)
}

// seconds reads a number of seconds. A larger one than a hundred days would not fit into every sum of durations.
func seconds(s float64) time.Duration {
	return time.Duration(math.Min(s, 100*24*3600) * float64(time.Second))
}

// retryAfter reads a `retry_after`. One that makes no sense counts as the longest.
func retryAfter(value *float64) time.Duration {
	switch {
	case value == nil:
		return 0
	case !(*value >= 0 && *value <= 86400):
		return longestRetryAfter
	default:
		return min(seconds(*value), longestRetryAfter)
	}
}
