package muster

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	protocolName = "Noise_XX_25519_ChaChaPoly_SHA256"
	prologue     = "muster/2"
)

// symmetric is Noise's SymmetricState: a hash of all that was said, and a key from all that was agreed.
type symmetric struct {
	hash, chainingKey []byte
	cipher            *cipherState // nil until the first key is agreed
}

func newSymmetric() *symmetric {
	s := &symmetric{hash: []byte(protocolName), chainingKey: []byte(protocolName)}
	s.mixHash([]byte(prologue))
	return s
}

func (s *symmetric) mixHash(data []byte) {
	sum := sha256.Sum256(append(append([]byte{}, s.hash...), data...))
	s.hash = sum[:]
}

// mixKey mixes in what X25519 of these two keys agrees on. Go's ECDH refuses keys of low order.
func (s *symmetric) mixKey(private *ecdh.PrivateKey, public *ecdh.PublicKey) error {
	secret, err := private.ECDH(public)
	if err != nil {
		return err
	}
	first, second := hkdf2(s.chainingKey, secret)
	s.chainingKey = first
	s.cipher, err = newCipherState(second)
	return err
}

func (s *symmetric) encryptAndHash(plain []byte) []byte {
	sealed := plain
	if s.cipher != nil {
		sealed = s.cipher.seal(plain, s.hash)
	}
	s.mixHash(sealed)
	return sealed
}

func (s *symmetric) decryptAndHash(sealed []byte) ([]byte, error) {
	plain, err := s.cipher.open(sealed, s.hash)
	if err != nil {
		return nil, err
	}
	s.mixHash(sealed)
	return plain, nil
}

// hkdf2 is Noise's HKDF with two outputs.
func hkdf2(chainingKey, input []byte) (first, second []byte) {
	temporary := hmacSHA256(chainingKey, input)
	first = hmacSHA256(temporary, []byte{1})
	second = hmacSHA256(temporary, append(append([]byte{}, first...), 2))
	return first, second
}

func hmacSHA256(key, data []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(data)
	return mac.Sum(nil)
}

// handshake is the peer's side (the initiator) of Noise XX. Its methods are called in the order of the messages.
type handshake struct {
	symmetric *symmetric
	static    *ecdh.PrivateKey
	ephemeral *ecdh.PrivateKey
	remote    *ecdh.PublicKey // the mesh's ephemeral key
}

func newHandshake(static, ephemeral *ecdh.PrivateKey) *handshake {
	return &handshake{symmetric: newSymmetric(), static: static, ephemeral: ephemeral}
}

// message1 is `e`.
func (h *handshake) message1() []byte {
	public := h.ephemeral.PublicKey().Bytes()
	h.symmetric.mixHash(public)
	h.symmetric.encryptAndHash(nil)
	return public
}

var errWrongMeshKey = errors.New("the mesh has another key than the pinned one")

// readMessage2 reads `e, ee, s, es`, and returns errWrongMeshKey unless the mesh has the expected key.
func (h *handshake) readMessage2(message []byte, expected *ecdh.PublicKey) error {
	const sealedKey = 32 + chacha20poly1305.Overhead
	if len(message) != 32+sealedKey+chacha20poly1305.Overhead {
		return errors.New("message 2 of the handshake does not have 96 bytes")
	}
	var err error
	if h.remote, err = ecdh.X25519().NewPublicKey(message[:32]); err != nil {
		return err
	}
	h.symmetric.mixHash(message[:32])
	if err := h.symmetric.mixKey(h.ephemeral, h.remote); err != nil {
		return err
	}
	raw, err := h.symmetric.decryptAndHash(message[32 : 32+sealedKey])
	if err != nil {
		return err
	}
	static, err := ecdh.X25519().NewPublicKey(raw)
	if err != nil {
		return err
	}
	if err := h.symmetric.mixKey(h.ephemeral, static); err != nil {
		return err
	}
	if _, err := h.symmetric.decryptAndHash(message[32+sealedKey:]); err != nil {
		return err
	}
	// Only now: the tag has proved that the sender has the private key of `static`.
	if !static.Equal(expected) {
		return errWrongMeshKey
	}
	return nil
}

// message3 is `s, se`, with the hello as its payload.
func (h *handshake) message3(hello []byte) ([]byte, error) {
	message := h.symmetric.encryptAndHash(h.static.PublicKey().Bytes())
	if err := h.symmetric.mixKey(h.static, h.remote); err != nil {
		return nil, err
	}
	return append(message, h.symmetric.encryptAndHash(hello)...), nil
}

// split makes the two keys of the session: for frames to the mesh, and for frames from it.
func (h *handshake) split() (toMesh, fromMesh *cipherState, err error) {
	first, second := hkdf2(h.symmetric.chainingKey, nil)
	if toMesh, err = newCipherState(first); err != nil {
		return nil, nil, err
	}
	fromMesh, err = newCipherState(second)
	return toMesh, fromMesh, err
}
