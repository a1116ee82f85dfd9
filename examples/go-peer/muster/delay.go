package muster

import "time"

// delays notices messages that came late, without a right clock: the delay of a message is how much longer it took than
// the fastest of the last minutes.
type delays struct {
	current, previous *time.Duration // the least difference of this period, and of the one before
	since             time.Time
}

const delayPeriod = 5 * time.Minute

func (d *delays) of(timestamp string, arrival time.Time) time.Duration {
	sent, err := time.Parse(time.RFC3339Nano, timestamp)
	if err != nil {
		return 0
	}
	difference := arrival.Round(0).Sub(sent)
	if arrival.Sub(d.since) > delayPeriod {
		d.previous, d.current, d.since = d.current, nil, arrival
	}
	if d.current == nil || difference < *d.current {
		d.current = &difference
	}
	least := *d.current
	if d.previous != nil {
		least = min(least, *d.previous)
	}
	return difference - least
}
