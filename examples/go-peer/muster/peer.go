package muster

import (
	"context"
	"crypto/ecdh"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

// dialTimeout is how long a dial may take, from its beginning to the welcome.
const dialTimeout = 20 * time.Second

// Peer is a worker of a mesh. Make it with New, and start it with Run.
type Peer struct {
	cfg     Config
	client  *http.Client
	pin     *pin
	worker  *worker
	backoff backoff
	ended   time.Time     // when the last session ended
	clock   time.Duration // what the next dial adds to this clock
}

// New checks the configuration and reads the stored key of the mesh.
func New(cfg Config) (*Peer, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Address.MeshKey != "" {
		if _, err := parsePublicKey(cfg.Address.MeshKey); err != nil {
			return nil, err
		}
	}
	stored, err := loadPin(cfg.PinFile, cfg.Address.MeshKey)
	if err != nil {
		return nil, err
	}
	p := &Peer{cfg: cfg, client: newHTTPClient(), pin: stored, ended: time.Now()}
	p.worker = newWorker(&p.cfg, httpUploader{p.client, cfg.Address})
	return p, nil
}

// ID is the peer's ID.
func (p *Peer) ID() string { return idOf(p.cfg.Key.PublicKey()) }

// Run connects, works, and reconnects. When the context ends, the peer drains: it finishes what it runs, and leaves. Run
// returns nil after that, also if the operator has drained the peer, and an error if the mesh does not want the peer.
func (p *Peer) Run(ctx context.Context) error {
	defer p.worker.abandon()
	defer context.AfterFunc(ctx, func() { p.worker.drain("the process stops", p.cfg.DrainLimit) })()
	for {
		e := p.connect()
		if e.left || p.isDrained() {
			return nil
		}
		wait, err := p.next(e)
		if err != nil {
			return err
		}
		if wait < 0 {
			return nil
		}
		p.cfg.Log.Info("not connected", "why", e.err, "again_in", wait.Round(time.Millisecond))
		select {
		case <-time.After(wait):
		case <-p.worker.drained:
			return nil
		}
	}
}

func (p *Peer) isDrained() bool {
	select {
	case <-p.worker.drained:
		return true
	default:
		return false
	}
}

// connect is one connection, from the dial to its end.
func (p *Peer) connect() ending {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	defer p.whenDrained(cancel)()
	key, err := p.pin.key(ctx, p.client, p.cfg.Address)
	if err != nil {
		return ending{err: err}
	}
	now := time.Now().Add(p.clock)
	p.clock = 0 // a correction is good for one dial
	s, failed := dial(ctx, p.client, &p.cfg, key, now, p.worker.hello())
	if failed != nil {
		if failed.reason == "clock_skew" && p.pin.known() {
			p.correctClock(ctx, key)
		}
		return *failed
	}
	defer s.release()
	if err := p.pin.proved(key); err != nil {
		return ending{err: err}
	}
	welcome, failed := s.awaitWelcome(ctx)
	if failed != nil {
		return *failed
	}
	return p.session(s, welcome)
}

// correctClock makes the next dial use the mesh's time.
func (p *Peer) correctClock(ctx context.Context, key *ecdh.PublicKey) {
	moved, err := correction(ctx, p.client, p.cfg.Address, key)
	if err != nil {
		p.cfg.Log.Error("this clock is wrong, and the mesh's can't be used", "error", withoutURL(err))
		return
	}
	p.cfg.Log.Warn("this clock is wrong; the next dial uses the mesh's", "differs_by", moved.Round(time.Second))
	p.clock = moved
}

// session works from the welcome to the end of a connection.
func (p *Peer) session(s *session, w *welcome) ending {
	begun := time.Now()
	p.cfg.Log.Info("connected", "mesh", w.Mesh.Name, "peer", w.PeerID, "role", w.Role)
	if err := p.pin.announced(w.Mesh.NextPublicKey); err != nil {
		p.cfg.Log.Error("the mesh's next key can't be stored", "error", err)
	}
	p.moveTo(w.Reconnect)
	p.worker.connected(s, w.timestamp, begun)
	defer p.whenDrained(func() { s.leave("drained") })()
	e := s.run(func(message envelope, arrival time.Time) {
		if message.Type == "disconnect" {
			if d, ok := read[disconnect](message); ok {
				p.moveTo(d.Reconnect)
			}
			time.AfterFunc(closeAfterMessage, func() { s.end(1000, "disconnected") })
			return
		}
		p.worker.handle(message, arrival)
	})
	p.worker.disconnected()
	e.welcomed, e.lasted = true, time.Since(begun)
	p.ended = time.Now()
	return *e
}

func (p *Peer) moveTo(position *position) {
	if position != nil {
		p.backoff.position = position
	}
}

// whenDrained calls f once there is nothing left to do. What it returns ends the wait, and waits for f if that has begun.
func (p *Peer) whenDrained(f func()) (stop func()) {
	over, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		select {
		case <-p.worker.drained:
			f()
		case <-over:
		}
	}()
	return func() {
		close(over)
		<-finished
	}
}

var errNoNextKey = errors.New("the mesh does not have the pinned key any more; ask its operator for the new one")

// next is how long to wait before the next dial; negative if the operator has drained the peer.
func (p *Peer) next(e ending) (time.Duration, error) {
	if isFault(e) {
		p.cfg.Log.Error("the mesh finds a fault in this program", "why", e.err)
	}
	if e.welcomed {
		p.backoff.sessionEnded(e.lasted, e.closeCode == 4503)
	} else {
		p.backoff.failures++
	}
	switch afterEnding(e) {
	case stop:
		if e.closeCode == 1000 {
			p.cfg.Log.Info("the operator has drained this peer")
			return -1, nil
		}
		return 0, e.err
	case takeNext:
		taken, err := p.pin.takeNext()
		if err == nil && !taken {
			err = errNoNextKey
		}
		return 0, err
	case waitForKey:
		return max(e.wait, p.backoff.keyInUse(rand.Float64())), nil
	}
	if e.welcomed {
		return max(e.wait, p.backoff.afterSession(rand.Float64())), nil
	}
	return max(e.wait, p.backoff.afterDial(time.Since(p.ended), rand.Float64())), nil
}
