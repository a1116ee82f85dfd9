package muster

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"
)

const subprotocol = "muster.2"

// newHTTPClient is a client that follows no redirect: a mesh sends none, and a proof is for one host.
func newHTTPClient() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// dial opens a WebSocket to the mesh and does the handshake. It returns a session that waits for its welcome.
func dial(ctx context.Context, client *http.Client, cfg *Config, mesh *ecdh.PublicKey, now time.Time, greeting hello) (*session, *ending) {
	target, err := connectURL(cfg.Address, cfg.Key, mesh, now.Unix())
	if err != nil {
		return nil, &ending{err: err}
	}
	conn, response, err := websocket.Dial(ctx, target, &websocket.DialOptions{
		HTTPClient:   client,
		Subprotocols: []string{subprotocol},
	})
	if err != nil {
		e := refused(response, err)
		return nil, &e
	}
	s, err := shake(ctx, conn, cfg.Key, mesh, greeting)
	if err != nil {
		e := endedBy(err)
		if errors.Is(err, errWrongMeshKey) {
			conn.Close(4401, "the mesh has another key")
		}
		conn.CloseNow()
		return nil, &e
	}
	return s, nil
}

// refused reads why the mesh refused the upgrade. The answer is not authenticated: it can delay or stop the peer only.
func refused(response *http.Response, err error) ending {
	e := ending{err: withoutURL(err)}
	if response == nil || response.StatusCode == http.StatusSwitchingProtocols {
		return e
	}
	e.status = response.StatusCode
	var problem struct {
		Code       string   `json:"code"`
		Detail     string   `json:"detail"`
		RetryAfter *float64 `json:"retry_after"`
		Time       string   `json:"time"`
	}
	if response.Body == nil || json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&problem) != nil {
		return e
	}
	e.reason = problem.Code
	e.wait = retryAfter(problem.RetryAfter)
	e.err = fmt.Errorf("the mesh refuses the connection (%d %s): %s", e.status, cut(problem.Code, 64), cut(problem.Detail, 500))
	if problem.Code == "clock_skew" {
		e.err = fmt.Errorf("%w: this clock says %s, the mesh's says %s",
			e.err, time.Now().UTC().Format(time.RFC3339), cut(problem.Time, 64))
	}
	return e
}

// withoutURL drops the URL from an error of net/http, because the query of this one has a proof.
func withoutURL(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return withURL.Err
	}
	return err
}

// shake does the handshake over an open WebSocket.
func shake(ctx context.Context, conn *websocket.Conn, key *ecdh.PrivateKey, mesh *ecdh.PublicKey, greeting hello) (*session, error) {
	if conn.Subprotocol() != subprotocol {
		return nil, errors.New("the server does not speak " + subprotocol)
	}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	h := newHandshake(key, ephemeral)
	if err := conn.Write(ctx, websocket.MessageBinary, h.message1()); err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxHandshakeFrame)
	kind, message2, err := conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageBinary {
		return nil, errors.New("a text frame in the handshake")
	}
	if err := h.readMessage2(message2, mesh); err != nil {
		return nil, err
	}
	text, err := marshal(greeting)
	if err != nil {
		return nil, err
	}
	message3, err := h.message3(text)
	if err != nil {
		return nil, err
	}
	toMesh, fromMesh, err := h.split()
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxFrame)
	if err := conn.Write(ctx, websocket.MessageBinary, message3); err != nil {
		return nil, err
	}
	return newSession(conn, toMesh, fromMesh, idOf(key.PublicKey()), idOf(mesh)), nil
}
