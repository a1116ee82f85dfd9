package muster

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"strings"
)

// fieldPrime is 2^255 - 19. A public key is a number below it.
var fieldPrime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

// parsePublicKey reads an X25519 public key in hex. It refuses keys that are not canonical, and keys of low order, with
// which everybody agrees on the same secret.
func parsePublicKey(text string) (*ecdh.PublicKey, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 32 || strings.ToLower(text) != text {
		return nil, errors.New("a public key is 64 lower-case hex characters")
	}
	bigEndian := make([]byte, len(raw))
	for i, b := range raw {
		bigEndian[len(raw)-1-i] = b
	}
	if new(big.Int).SetBytes(bigEndian).Cmp(fieldPrime) >= 0 {
		return nil, errors.New("the public key is not in its canonical encoding")
	}
	key, err := ecdh.X25519().NewPublicKey(raw)
	if err != nil {
		return nil, err
	}
	throwaway, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	if _, err := throwaway.ECDH(key); err != nil {
		return nil, errors.New("the public key is of low order")
	}
	return key, nil
}

// ParsePrivateKey reads an X25519 private key: 64 hex characters.
func ParsePrivateKey(text string) (*ecdh.PrivateKey, error) {
	raw, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) != 32 {
		// The text is a secret, so the error does not repeat it.
		return nil, errors.New("a private key is 64 hex characters")
	}
	return ecdh.X25519().NewPrivateKey(raw)
}

// LoadOrCreateKey reads the peer's private key from a file, and makes the file if there is none. The key is the peer's
// identity, so one process at a time uses it.
func LoadOrCreateKey(path string) (*ecdh.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		key, err := ParsePrivateKey(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	// O_EXCL: two processes that start at once must not each believe that its key is the stored one.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = file.WriteString(hex.EncodeToString(key.Bytes()) + "\n")
	return key, errors.Join(err, file.Sync(), file.Close())
}

// idOf is the ID of a peer or of a mesh.
func idOf(key *ecdh.PublicKey) string {
	sum := sha256.Sum256(key.Bytes())
	return hex.EncodeToString(sum[:16])
}

func hexOf(key *ecdh.PublicKey) string { return hex.EncodeToString(key.Bytes()) }
