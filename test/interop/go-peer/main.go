// A go-p2p 1.0 peer for the interoperability test: Go's JSON, times and WebSocket, and the published Borg module's SMSG
// and STMF. It joins the mesh at argv[1], or listens for it (`listen ADDRESS [PRIVATE KEY]`, see listen.go), answers ping
// and get_stats, prints one line per thing that happened, and leaves when its standard input ends.
package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/Snider/Borg/pkg/smsg"
	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"golang.org/x/crypto/curve25519"
)

type message struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	From      string          `json:"from"`
	To        string          `json:"to"`
	Timestamp time.Time       `json:"ts"`
	Payload   json.RawMessage `json:"payload"`
	ReplyTo   string          `json:"replyTo,omitempty"`
}

type identity struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	PublicKey string    `json:"publicKey"`
	CreatedAt time.Time `json:"createdAt"`
	Role      string    `json:"role"`
}

type handshake struct {
	Identity  identity `json:"identity"`
	Challenge []byte   `json:"challenge,omitempty"`
	Version   string   `json:"version"`
}

type handshakeAck struct {
	Identity          identity `json:"identity"`
	ChallengeResponse []byte   `json:"challengeResponse,omitempty"`
	Accepted          bool     `json:"accepted"`
	Reason            string   `json:"reason,omitempty"`
}

type peer struct {
	private, public []byte
	id, meshID      string
	password        string
	conn            *websocket.Conn
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func (p *peer) compose(kind, replyTo string, payload any) message {
	return message{
		ID: uuid.New().String(), Type: kind, From: p.id, To: p.meshID, Timestamp: time.Now(),
		Payload: must(json.Marshal(payload)), ReplyTo: replyTo,
	}
}

func (p *peer) send(m message) {
	sealed := must(smsg.Encrypt(smsg.NewMessage(string(must(json.Marshal(m)))), p.password))
	if err := p.conn.WriteMessage(websocket.BinaryMessage, sealed); err != nil {
		log.Fatal(err)
	}
}

func (p *peer) receive() (message, error) {
	var m message
	_, data, err := p.conn.ReadMessage()
	if err != nil {
		return m, err
	}
	opened := must(smsg.Decrypt(data, p.password))
	return m, json.Unmarshal([]byte(opened.Body), &m)
}

func (p *peer) identity() identity {
	return identity{
		ID: p.id, Name: "go peer", PublicKey: base64.StdEncoding.EncodeToString(p.public),
		CreatedAt: time.Now(), Role: "worker",
	}
}

// agree derives what both sides share, once the mesh's key is known.
func (p *peer) agree(mesh identity) (secret []byte) {
	meshKey := must(base64.StdEncoding.DecodeString(mesh.PublicKey))
	digest := sha256.Sum256(must(curve25519.X25519(p.private, meshKey)))
	p.meshID = mesh.ID
	p.password = base64.StdEncoding.EncodeToString(digest[:])
	return digest[:]
}

func (p *peer) handshake() {
	challenge := make([]byte, 32)
	must(rand.Read(challenge))
	hello := p.compose("handshake", "", handshake{Identity: p.identity(), Challenge: challenge, Version: "1.0"})
	if err := p.conn.WriteMessage(websocket.TextMessage, must(json.Marshal(hello))); err != nil {
		log.Fatal(err)
	}
	_, data, err := p.conn.ReadMessage()
	if err != nil {
		log.Fatal(err)
	}
	var answer message
	var ack handshakeAck
	if err := json.Unmarshal(data, &answer); err != nil {
		log.Fatal(err)
	}
	if err := json.Unmarshal(answer.Payload, &ack); err != nil {
		log.Fatal(err)
	}
	if !ack.Accepted {
		log.Fatalf("rejected: %s", ack.Reason)
	}
	if !hmac.Equal(answerTo(challenge, p.agree(ack.Identity)), ack.ChallengeResponse) {
		log.Fatal("the mesh did not answer the challenge")
	}
	fmt.Println("acknowledged")
}

func answerTo(challenge, secret []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(challenge)
	return mac.Sum(nil)
}

// serve answers what the mesh asks until the connection ends.
func (p *peer) serve() error {
	for {
		m, err := p.receive()
		if err != nil {
			return err
		}
		switch m.Type {
		case "ping":
			var ping struct {
				SentAt int64 `json:"sentAt"`
			}
			if err := json.Unmarshal(m.Payload, &ping); err != nil {
				log.Fatal(err)
			}
			now := time.Now().UnixMilli()
			p.send(p.compose("pong", m.ID, map[string]int64{"sentAt": ping.SentAt, "receivedAt": now}))
		case "get_stats":
			p.send(p.compose("stats", m.ID, map[string]any{
				"nodeId": p.id, "nodeName": "go peer", "miners": []any{}, "uptime": 7,
			}))
		}
		fmt.Println("took", m.Type)
	}
}

func newPeer(private []byte) *peer {
	public := must(curve25519.X25519(private, curve25519.Basepoint))
	digest := sha256.Sum256(public)
	return &peer{private: private, public: public, id: hex.EncodeToString(digest[:16])}
}

func newKey() []byte {
	private := make([]byte, curve25519.ScalarSize)
	must(rand.Read(private))
	return private
}

func untilInputEnds() {
	for scanner := bufio.NewScanner(os.Stdin); scanner.Scan(); {
	}
}

func main() {
	if os.Args[1] == "listen" {
		listen(os.Args[2:])
		return
	}
	p := newPeer(newKey())
	conn, _, err := websocket.DefaultDialer.Dial(os.Args[1], nil)
	p.conn = must(conn, err)
	fmt.Println("id", p.id)
	p.handshake()
	go func() { log.Fatal(p.serve()) }()
	untilInputEnds()
	p.send(p.compose("disconnect", "", map[string]any{"reason": "done", "code": 1000}))
}
