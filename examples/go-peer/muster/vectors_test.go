package muster

import (
	"crypto/ecdh"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// The vectors are those of the repository, so that this package and the mesh are tested by the same bytes.
const vectorsFolder = "../../../docs/vectors"

func vectors[T any](t *testing.T, name string) T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(vectorsFolder, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors T `json:"vectors"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func privateKey(t *testing.T, text string) *ecdh.PrivateKey {
	t.Helper()
	key, err := ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func publicKey(t *testing.T, text string) *ecdh.PublicKey {
	t.Helper()
	key, err := parsePublicKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func notEmpty[T any](t *testing.T, list []T) []T {
	t.Helper()
	if len(list) == 0 {
		t.Fatal("the vectors are missing")
	}
	return list
}
