package muster

import "time"

// allowance is the number of messages that a peer may send beside its answers to offers: a bucket of 100 that refills by 50 a
// second. This one is a tenth smaller and slower, because the two clocks differ.
type allowance struct {
	spent   float64
	updated time.Time
}

const (
	allowanceAtOnce    = 90
	allowancePerSecond = 45
)

// take says whether one more message may be sent now.
func (a *allowance) take(now time.Time) bool {
	a.spent = max(0, a.spent-now.Sub(a.updated).Seconds()*allowancePerSecond)
	a.updated = now
	if a.spent > allowanceAtOnce-1 {
		return false
	}
	a.spent++
	return true
}
