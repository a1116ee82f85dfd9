package muster

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	heartbeatInterval = 25 * time.Second
	longestSilence    = 75 * time.Second
	writeTimeout      = 20 * time.Second
	closeAfterMessage = 2 * time.Second
	// outgoingMessages is how many messages may wait for the network. A peer with fewer than 64 slots never has as many,
	// unless the network stands still.
	outgoingMessages = 1024
)

// session is one connection after its handshake. One goroutine reads (run), one writes (write): the order in which frames
// are sealed is the order in which they are sent.
type session struct {
	conn             *websocket.Conn
	toMesh, fromMesh *cipherState
	self, mesh       string
	out              chan []byte
	ctx              context.Context
	cancel           context.CancelFunc
	written          chan struct{} // closed when the writer has ended

	mu       sync.Mutex
	finished bool // nothing more is sent
	local    *ending
}

func newSession(conn *websocket.Conn, toMesh, fromMesh *cipherState, self, mesh string) *session {
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{
		conn: conn, toMesh: toMesh, fromMesh: fromMesh, self: self, mesh: mesh,
		out: make(chan []byte, outgoingMessages), ctx: ctx, cancel: cancel, written: make(chan struct{}),
	}
	go s.write()
	return s
}

// send queues a message and returns its ID. It never waits for the network.
func (s *session) send(messageType string, payload any, replyTo string) string {
	message, err := newEnvelope(messageType, s.self, s.mesh, payload, replyTo)
	if err != nil {
		return ""
	}
	text, err := marshal(message)
	if err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished {
		return ""
	}
	select {
	case s.out <- text:
		return message.ID
	default:
		go s.end(4408, "the mesh does not read")
		return ""
	}
}

// write seals and sends what is queued, and the heartbeat.
func (s *session) write() {
	defer close(s.written)
	heartbeat := time.NewTimer(heartbeatPause())
	defer heartbeat.Stop()
	for {
		var err error
		select {
		case text, open := <-s.out:
			if !open {
				return
			}
			err = s.writeFrame(websocket.MessageBinary, s.toMesh.seal(text, nil))
		case <-heartbeat.C:
			heartbeat.Reset(heartbeatPause())
			err = s.writeFrame(websocket.MessageText, []byte("ping"))
		case <-s.ctx.Done():
			return
		}
		if err != nil {
			s.conn.CloseNow() // the reader notices
			return
		}
	}
}

func (s *session) writeFrame(kind websocket.MessageType, frame []byte) error {
	ctx, cancel := context.WithTimeout(s.ctx, writeTimeout)
	defer cancel()
	return s.conn.Write(ctx, kind, frame)
}

// heartbeatPause is 20 to 25 s, so that the heartbeats of many peers do not coincide.
func heartbeatPause() time.Duration {
	return heartbeatInterval - time.Duration(rand.Int64N(int64(heartbeatInterval/5)))
}

// read returns the next message. Frames that hold no envelope are skipped: the mesh is proved, so they are its fault.
func (s *session) read(ctx context.Context) (envelope, error) {
	for {
		kind, frame, err := s.conn.Read(ctx)
		if err != nil {
			return envelope{}, err
		}
		if kind == websocket.MessageText {
			return envelope{}, nil // the answer to a heartbeat
		}
		text, err := s.fromMesh.open(frame, nil)
		if err != nil {
			s.end(4400, "undecryptable")
			return envelope{}, errors.New("a frame does not open")
		}
		var message envelope
		if json.Unmarshal(text, &message) == nil && message.Type != "" {
			return message, nil
		}
	}
}

// awaitWelcome reads the first message.
func (s *session) awaitWelcome(ctx context.Context) (*welcome, *ending) {
	for {
		message, err := s.read(ctx)
		if err != nil {
			return nil, s.ending(err)
		}
		switch message.Type {
		case "welcome":
			var w welcome
			if json.Unmarshal(message.Payload, &w) == nil {
				w.timestamp = message.TS
				return &w, nil
			}
		case "rejection":
			var r rejection
			if json.Unmarshal(message.Payload, &r) == nil {
				short, cancel := context.WithTimeout(ctx, closeAfterMessage)
				defer cancel()
				for err == nil {
					_, err = s.read(short)
				}
				e := rejectedBy(r, endedBy(err))
				return nil, &e
			}
		}
	}
}

// run passes messages on until the connection ends.
func (s *session) run(handle func(envelope, time.Time)) *ending {
	silence := time.AfterFunc(longestSilence, func() { s.end(4408, "silence") })
	defer silence.Stop()
	for {
		message, err := s.read(s.ctx)
		if err != nil {
			return s.ending(err)
		}
		silence.Reset(longestSilence)
		if message.Type != "" {
			handle(message, time.Now())
		}
	}
}

// leave says goodbye, sends what is still queued, and ends the session for good.
func (s *session) leave(reason string) {
	s.send("disconnect", disconnect{Reason: reason}, "")
	s.mu.Lock()
	if !s.finished {
		s.finished = true
		close(s.out)
	}
	s.mu.Unlock()
	<-s.written
	s.mu.Lock()
	s.local = &ending{err: errors.New(reason), left: true}
	s.mu.Unlock()
	s.conn.Close(websocket.StatusNormalClosure, reason)
}

// end closes the connection because of something that this side noticed.
func (s *session) end(code websocket.StatusCode, reason string) {
	s.mu.Lock()
	if s.local == nil {
		s.local = &ending{err: errors.New(reason)}
	}
	s.mu.Unlock()
	s.conn.Close(code, reason)
	s.conn.CloseNow()
}

// ending prefers what this side noticed to the error that follows from it.
func (s *session) ending(err error) *ending {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.local != nil {
		return s.local
	}
	e := endedBy(err)
	return &e
}

// release frees what the session holds. Nothing is sent any more.
func (s *session) release() {
	s.mu.Lock()
	if !s.finished {
		s.finished = true
		close(s.out)
	}
	s.mu.Unlock()
	s.cancel()
	s.conn.CloseNow()
}
