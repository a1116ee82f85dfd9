package muster

import (
	"crypto/cipher"
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	// maxFrame is the size of the largest frame of a session. Noise's own limit is 65,535, which is why this package
	// seals frames by itself instead of using a Noise library.
	maxFrame = 1 << 20
	// maxHandshakeFrame is the size of the largest frame of the handshake.
	maxHandshakeFrame = 8192
)

// cipherState seals or opens one frame after the other. It is not safe for use by several goroutines: the counter and the
// order of the frames belong together.
type cipherState struct {
	aead    cipher.AEAD
	counter uint64
}

func newCipherState(key []byte) (*cipherState, error) {
	aead, err := chacha20poly1305.New(key)
	return &cipherState{aead: aead}, err
}

func (c *cipherState) nonce() []byte {
	nonce := make([]byte, chacha20poly1305.NonceSize)
	binary.LittleEndian.PutUint64(nonce[4:], c.counter)
	return nonce
}

// seal uses up the counter in any case, so that no two frames are ever sealed with the same one.
func (c *cipherState) seal(plain, associated []byte) []byte {
	sealed := c.aead.Seal(nil, c.nonce(), plain, associated)
	c.counter++
	return sealed
}

func (c *cipherState) open(sealed, associated []byte) ([]byte, error) {
	plain, err := c.aead.Open(nil, c.nonce(), sealed, associated)
	if err != nil {
		return nil, err
	}
	c.counter++
	return plain, nil
}
