package muster

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf16"
)

// envelope is the outer form of every message.
type envelope struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	From    string          `json:"from"`
	To      string          `json:"to"`
	TS      string          `json:"ts"`
	Payload json.RawMessage `json:"payload,omitempty"`
	ReplyTo string          `json:"replyTo,omitempty"`
}

// The payloads. Unknown fields are ignored, as the protocol asks.

type hello struct {
	Name         string       `json:"name"`
	Role         string       `json:"role"`
	Capabilities []string     `json:"capabilities"`
	Kinds        []string     `json:"kinds"`
	Slots        int          `json:"slots"`
	Prefetch     bool         `json:"prefetch"`
	Held         []attemptRef `json:"held"`
	JoinKey      string       `json:"join_key,omitempty"`
	Client       string       `json:"client"`
}

// attemptRef names an attempt. The payload of every message about one begins with it.
type attemptRef struct {
	TaskID string `json:"task_id"`
	Fence  int64  `json:"fence"`
}

type position struct {
	Slot      float64 `json:"slot"`
	PerSecond float64 `json:"per_second"`
}

type welcome struct {
	PeerID string `json:"peer_id"`
	Role   string `json:"role"`
	Mesh   struct {
		Name          string `json:"name"`
		NextPublicKey string `json:"next_public_key"`
	} `json:"mesh"`
	Reconnect *position `json:"reconnect"`

	timestamp string // of its envelope
}

type rejection struct {
	Code       string   `json:"code"`
	Reason     string   `json:"reason"`
	RetryAfter *float64 `json:"retry_after"`
}

type disconnect struct {
	Reason    string    `json:"reason"`
	Reconnect *position `json:"reconnect,omitempty"`
}

type drain struct {
	Reason         string  `json:"reason"`
	TimeoutSeconds float64 `json:"timeout_seconds"`
}

type ping struct {
	SentAt  float64 `json:"sentAt"`
	Confirm bool    `json:"confirm,omitempty"`
}

type pong struct {
	SentAt     float64 `json:"sentAt"`
	ReceivedAt int64   `json:"receivedAt"`
}

// errorReply is the payload of `error`. Details is the stable code.
type errorReply struct {
	Code       int      `json:"code"`
	Message    string   `json:"message"`
	Details    string   `json:"details"`
	RetryAfter *float64 `json:"retry_after,omitempty"`
}

type taskOffer struct {
	attemptRef
	Kind                  string          `json:"kind"`
	Payload               json.RawMessage `json:"payload"`
	Attempt               int             `json:"attempt"`
	LeaseSeconds          float64         `json:"lease_seconds"`
	AttemptTimeoutSeconds float64         `json:"attempt_timeout_seconds"`
	SealTo                string          `json:"seal_to"`
	Upload                string          `json:"upload"`
}

type taskAccept struct {
	attemptRef
	Queued bool `json:"queued,omitempty"`
}

type taskRefuse struct {
	attemptRef
	Reason string `json:"reason"`
}

type taskRelease struct {
	attemptRef
	Reason string `json:"reason"`
	Begun  bool   `json:"begun"`
}

type taskProgress struct {
	attemptRef
	Progress *float64 `json:"progress,omitempty"`
	Message  string   `json:"message,omitempty"`
	Queued   bool     `json:"queued,omitempty"`
}

type taskResult struct {
	attemptRef
	OK       bool            `json:"ok"`
	Result   json.RawMessage `json:"result,omitempty"`
	Sealed   bool            `json:"sealed,omitempty"`
	Uploaded *uploaded       `json:"uploaded,omitempty"`
	Error    *string         `json:"error,omitempty"`
	Retry    *bool           `json:"retry,omitempty"`
}

type uploaded struct {
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// marshal is json.Marshal without the escapes for HTML, which would make a result longer than its author wrote it.
func marshal(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

func newEnvelope(messageType, from, to string, payload any, replyTo string) (envelope, error) {
	raw, err := marshal(payload)
	return envelope{
		ID: newUUID(), Type: messageType, From: from, To: to,
		TS: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), Payload: raw, ReplyTo: replyTo,
	}, err
}

// newUUID is a random UUID (version 4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// cut shortens a text for people. The protocol counts UTF-16 units.
func cut(text string, units int) string {
	for i, r := range text {
		if units -= max(utf16.RuneLen(r), 1); units < 0 {
			return text[:i]
		}
	}
	return text
}
