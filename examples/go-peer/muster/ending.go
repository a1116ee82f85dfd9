package muster

import (
	"errors"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// ending is how a connection ended, or why there was none.
type ending struct {
	err       error         // for the log
	closeCode int           // the WebSocket's close code; 0 if there was no close frame
	reason    string        // the stable code at the beginning of the close reason, of a rejection, or of a refused upgrade
	status    int           // the HTTP status of a refused upgrade
	wait      time.Duration // the least wait that the mesh asked for
	welcomed  bool
	lasted    time.Duration // since the welcome
	left      bool          // the peer left by itself
}

// verdict is what the peer does after an ending.
type verdict int

const (
	reconnect  verdict = iota // by the rules for sessions and dials
	waitForKey                // another process uses this key: a long wait
	takeNext                  // the mesh has another key: the announced one, if there is one
	stop
)

// afterEnding is the table of close codes of the protocol, and that of refused upgrades.
func afterEnding(e ending) verdict {
	switch {
	case errors.Is(e.err, errWrongMeshKey):
		return stop
	case e.status != 0:
		if e.reason == "mesh_key_unknown" {
			return takeNext
		}
		return reconnect
	}
	switch e.closeCode {
	case 1000:
		if e.reason == "drained" {
			return stop
		}
	case 4403:
		return stop // also `rotated`: this peer never changes its key, so another process with a copy of it has
	case 4409:
		// Soon after the welcome it is more likely that two processes with one key push each other out.
		if e.welcomed && e.lasted < steadySession {
			return waitForKey
		}
		return stop
	case 4429:
		if e.reason == "key_in_use" {
			return waitForKey
		}
	}
	return reconnect
}

// isFault says whether the mesh complained about this program.
func isFault(e ending) bool { return e.closeCode == 4400 || e.closeCode == 4401 || e.status == 400 }

// endedBy reads the close frame, if there was one, out of an error of the WebSocket library.
func endedBy(err error) ending {
	e := ending{err: err}
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		e.closeCode = int(closed.Code)
		e.reason, _, _ = strings.Cut(closed.Reason, ":")
	}
	return e
}

// rejectedBy is the ending after a rejection. The close frame may be missing, so the code of the rejection says its
// close code, too. An unknown rejection is treated by the close code that comes.
func rejectedBy(r rejection, closed ending) ending {
	closed.err = errors.New("the mesh rejects this peer: " + r.Code + ": " + cut(r.Reason, 500))
	closed.wait = retryAfter(r.RetryAfter)
	closed.reason = r.Code
	switch r.Code {
	case "not_allowed", "revoked", "rotated", "join_key_invalid":
		closed.closeCode = 4403
	case "key_in_use", "mesh_full", "storage_full":
		closed.closeCode = 4429
	case "identity_mismatch":
		closed.closeCode = 4401
	case "unavailable", "internal", "mesh_restarting":
		closed.closeCode = 4503
	}
	return closed
}
