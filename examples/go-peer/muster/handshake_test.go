package muster

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestPeerIDs(t *testing.T) {
	for _, v := range notEmpty(t, vectors[[]struct {
		Name      string `json:"name"`
		PublicKey string `json:"public_key"`
		Accepted  bool   `json:"accepted"`
		PeerID    string `json:"peer_id"`
	}](t, "peer-ids")) {
		key, err := parsePublicKey(v.PublicKey)
		equal(t, v.Name, err == nil, v.Accepted)
		if err == nil {
			equal(t, v.Name, idOf(key), v.PeerID)
		}
	}
}

func TestConnectProof(t *testing.T) {
	v := vectors[struct {
		Peer     string `json:"peer_private_key"`
		Mesh     string `json:"mesh_public_key"`
		Connects []struct {
			Host string `json:"host"`
			T    int64  `json:"t"`
			URL  string `json:"url"`
		} `json:"connects"`
	}](t, "connect-proof")
	for _, connect := range notEmpty(t, v.Connects) {
		address, err := ParseAddress("https://" + connect.Host)
		if err != nil {
			t.Fatal(err)
		}
		got, err := connectURL(address, privateKey(t, v.Peer), publicKey(t, v.Mesh), connect.T)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, connect.Host, query(t, got), query(t, connect.URL))
	}
}

type handshakeVectors struct {
	PeerStatic    string `json:"peer_static_private_key"`
	PeerEphemeral string `json:"peer_ephemeral_private_key"`
	MeshStatic    string `json:"mesh_static_public_key"`
	Messages      []struct {
		Payload     string `json:"payload"`
		Bytes       string `json:"bytes"`
		Hash        string `json:"hash"`
		ChainingKey string `json:"chaining_key"`
	} `json:"messages"`
	ToMesh   string `json:"peer_to_mesh_key"`
	FromMesh string `json:"mesh_to_peer_key"`
	Refused  []struct {
		Why     string `json:"why"`
		Message int    `json:"message"`
		Bytes   string `json:"bytes"`
	} `json:"refused"`
}

func TestHandshake(t *testing.T) {
	v := vectors[handshakeVectors](t, "noise-handshake")
	h := newHandshake(privateKey(t, v.PeerStatic), privateKey(t, v.PeerEphemeral))
	state := func(message int) {
		t.Helper()
		equal(t, "hash", hex.EncodeToString(h.symmetric.hash), v.Messages[message-1].Hash)
		equal(t, "chaining key", hex.EncodeToString(h.symmetric.chainingKey), v.Messages[message-1].ChainingKey)
	}
	equal(t, "message 1", hex.EncodeToString(h.message1()), v.Messages[0].Bytes)
	state(1)
	if err := h.readMessage2(unhex(t, v.Messages[1].Bytes), publicKey(t, v.MeshStatic)); err != nil {
		t.Fatal(err)
	}
	state(2)
	message3, err := h.message3(unhex(t, v.Messages[2].Payload))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "message 3", hex.EncodeToString(message3), v.Messages[2].Bytes)
	state(3)
	first, second := hkdf2(h.symmetric.chainingKey, nil)
	equal(t, "key to the mesh", hex.EncodeToString(first), v.ToMesh)
	equal(t, "key from the mesh", hex.EncodeToString(second), v.FromMesh)
}

func TestHandshakeRefuses(t *testing.T) {
	v := vectors[handshakeVectors](t, "noise-handshake")
	read := func(message, expected string) error {
		h := newHandshake(privateKey(t, v.PeerStatic), privateKey(t, v.PeerEphemeral))
		h.message1()
		return h.readMessage2(unhex(t, message), publicKey(t, expected))
	}
	tried := 0
	for _, refused := range v.Refused {
		if refused.Message != 2 {
			continue
		}
		tried++
		if read(refused.Bytes, v.MeshStatic) == nil {
			t.Errorf("message 2 was taken: %s", refused.Why)
		}
	}
	if tried == 0 {
		t.Error("the vectors refuse no message 2")
	}
	other := hexOf(privateKey(t, v.PeerStatic).PublicKey())
	if err := read(v.Messages[1].Bytes, other); !errors.Is(err, errWrongMeshKey) {
		t.Errorf("another mesh key: %v", err)
	}
}

func TestFrames(t *testing.T) {
	for _, v := range notEmpty(t, vectors[[]struct {
		Direction string `json:"direction"`
		Key       string `json:"key"`
		Frames    []struct {
			Counter uint64 `json:"counter"`
			Plain   string `json:"plain_text"`
			Frame   string `json:"frame"`
		} `json:"frames"`
		Largest struct {
			Counter    uint64 `json:"counter"`
			PlainBytes int    `json:"plain_bytes"`
			FrameBytes int    `json:"frame_bytes"`
			SHA256     string `json:"frame_sha256"`
		} `json:"largest"`
		Refused []struct {
			Why     string `json:"why"`
			Counter uint64 `json:"counter"`
			Frame   string `json:"frame"`
		} `json:"refused"`
	}](t, "frames")) {
		at := func(counter uint64) *cipherState {
			c, err := newCipherState(unhex(t, v.Key))
			if err != nil {
				t.Fatal(err)
			}
			c.counter = counter
			return c
		}
		for _, frame := range notEmpty(t, v.Frames) {
			equal(t, v.Direction, hex.EncodeToString(at(frame.Counter).seal([]byte(frame.Plain), nil)), frame.Frame)
			plain, err := at(frame.Counter).open(unhex(t, frame.Frame), nil)
			if err != nil {
				t.Error(err)
			}
			equal(t, v.Direction, string(plain), frame.Plain)
		}
		largest := at(v.Largest.Counter).seal([]byte(strings.Repeat("a", v.Largest.PlainBytes)), nil)
		sum := sha256.Sum256(largest)
		equal(t, "largest frame", len(largest), v.Largest.FrameBytes)
		equal(t, "largest frame", hex.EncodeToString(sum[:]), v.Largest.SHA256)
		equal(t, "limit", v.Largest.FrameBytes, maxFrame)
		for _, refused := range notEmpty(t, v.Refused) {
			if _, err := at(refused.Counter).open(unhex(t, refused.Frame), nil); err == nil {
				t.Errorf("a frame was opened: %s", refused.Why)
			}
		}
	}
}

func TestTheProofOfTheMeshsTime(t *testing.T) {
	v := vectors[struct {
		Challenge string      `json:"challenge_private_key"`
		Mesh      string      `json:"mesh_public_key"`
		Answer    timeProof   `json:"answer"`
		Refused   []timeProof `json:"refused"`
	}](t, "mesh-proof")
	equal(t, "proves", v.Answer.proves(privateKey(t, v.Challenge), publicKey(t, v.Mesh)), true)
	for i, refused := range notEmpty(t, v.Refused) {
		equal(t, fmt.Sprint("refused ", i), refused.proves(privateKey(t, v.Challenge), publicKey(t, v.Mesh)), false)
	}
}
