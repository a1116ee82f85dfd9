package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// listen takes the mesh in at /ws, one connection after another, as a go-p2p node that listens does: it reads the
// handshake, answers it in clear, and speaks SMSG from then on.
func listen(args []string) {
	private := newKey()
	if len(args) > 1 {
		private = must(hex.DecodeString(args[1]))
	}
	upgrader := websocket.Upgrader{}
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			log.Print(err)
			return
		}
		defer conn.Close()
		p := newPeer(private)
		p.conn = conn
		if err := p.welcome(); err != nil {
			fmt.Println("no handshake:", err)
			return
		}
		fmt.Println("left:", p.serve())
	})
	listener := must(net.Listen("tcp", args[0]))
	fmt.Println("key", hex.EncodeToString(private), hex.EncodeToString(newPeer(private).public))
	fmt.Printf("listening ws://%s/ws\n", listener.Addr())
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second}
	go func() { log.Fatal(server.Serve(listener)) }()
	untilInputEnds()
}

func (p *peer) welcome() error {
	if err := p.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	_, data, err := p.conn.ReadMessage()
	if err != nil {
		return err
	}
	var asked message
	var offered handshake
	if err := json.Unmarshal(data, &asked); err != nil {
		return err
	}
	if err := json.Unmarshal(asked.Payload, &offered); err != nil {
		return err
	}
	secret := p.agree(offered.Identity)
	ack := p.compose("handshake_ack", "", handshakeAck{
		Identity: p.identity(), ChallengeResponse: answerTo(offered.Challenge, secret), Accepted: true,
	})
	fmt.Println("acknowledging", offered.Identity.ID)
	if err := p.conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	return p.conn.WriteMessage(websocket.TextMessage, must(json.Marshal(ack)))
}
