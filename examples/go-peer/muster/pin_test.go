package muster

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func newKey(t *testing.T) *ecdh.PublicKey {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key.PublicKey()
}

func TestThePinnedKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mesh")
	given, next, other := newKey(t), newKey(t), newKey(t)
	open := func(key *ecdh.PublicKey) *pin {
		t.Helper()
		text := ""
		if key != nil {
			text = hexOf(key)
		}
		p, err := loadPin(path, text)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	current := func(p *pin) string {
		t.Helper()
		key, err := p.key(context.Background(), nil, Address{})
		if err != nil {
			t.Fatal(err)
		}
		return hexOf(key)
	}
	equal(t, "nothing is known", open(nil).known(), false)
	if err := open(nil).proved(given); err != nil {
		t.Fatal(err)
	}
	equal(t, "trusted on first use", current(open(nil)), hexOf(given))
	if err := open(given).announced(hexOf(next)); err != nil {
		t.Fatal(err)
	}
	p := open(given)
	equal(t, "announced", current(p), hexOf(given))
	taken, err := p.takeNext()
	equal(t, "taken", taken && err == nil, true)
	taken, err = p.takeNext()
	equal(t, "taken twice", taken || err != nil, false)
	equal(t, "the mesh has changed its key", current(open(nil)), hexOf(next))
	equal(t, "what the operator gives counts for more", current(open(other)), hexOf(other))
	if err := p.announced("no key"); err != nil {
		t.Fatal(err)
	}
	equal(t, "no key is stored", p.Next, "")
}

func TestAGivenKeyThatTheMeshHasChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mesh")
	given, next := newKey(t), newKey(t)
	p, err := loadPin(path, hexOf(given))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.announced(hexOf(next)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.takeNext(); err != nil {
		t.Fatal(err)
	}
	// The setting still has the old key, which the stored one has followed.
	p, err = loadPin(path, hexOf(given))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "current", p.Current, hexOf(next))
}

func TestTheKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.key")
	made, err := LoadOrCreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	read, err := LoadOrCreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the same key", read.Equal(made), true)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "only its user may read it", info.Mode().Perm(), fs.FileMode(0o600))
	if err := os.WriteFile(path, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateKey(path); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a broken file: %v", err)
	}
}
