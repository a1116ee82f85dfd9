package muster

import (
	"context"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"
)

// largestCorrection is how wrong a clock may be that is corrected by the mesh's.
const largestCorrection = 24 * time.Hour

// timeProof is the answer of GET /v1/mesh/proof.
type timeProof struct {
	SigningKey string `json:"signing_key"`
	Time       string `json:"time"`
	Proof      string `json:"proof"`
}

// proves says whether the owner of the mesh's key has made the answer for this challenge.
func (p timeProof) proves(challenge *ecdh.PrivateKey, mesh *ecdh.PublicKey) bool {
	agreed, err := challenge.ECDH(mesh)
	if err != nil {
		return false
	}
	key := sha256.Sum256(append([]byte("muster/2 mesh"), agreed...))
	want := hmacSHA256(key[:], []byte(hexOf(challenge.PublicKey())+p.SigningKey+p.Time))
	got, err := hex.DecodeString(p.Proof)
	return err == nil && hmac.Equal(got, want)
}

// correction is how much this clock has to be moved to agree with the mesh's. A time that the mesh has not proved would let
// anyone on the way choose the time of the next connect proof.
func correction(ctx context.Context, client *http.Client, address Address, mesh *ecdh.PublicKey) (time.Duration, error) {
	challenge, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return 0, err
	}
	query := url.Values{"challenge": {hexOf(challenge.PublicKey())}, "mesh": {idOf(mesh)}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.at("/v1/mesh/proof?"+query.Encode()), nil)
	if err != nil {
		return 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer timeProof
	if err := json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&answer); err != nil {
		return 0, err
	}
	if !answer.proves(challenge, mesh) {
		return 0, errors.New("the mesh has not proved its time")
	}
	proved, err := time.Parse(time.RFC3339Nano, answer.Time)
	if err != nil {
		return 0, err
	}
	moved := time.Until(proved)
	if moved.Abs() > largestCorrection {
		return 0, errors.New("the clocks differ by more than a day")
	}
	return moved, nil
}
