package muster

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	chunkSize     = 262_144
	uploadTimeout = 10 * time.Minute
)

// httpUploader uploads large results over HTTP. What an offer has in `upload` is a secret; what goes over HTTP are a
// ticket for exactly these bytes, and the bytes, sealed.
type httpUploader struct {
	client  *http.Client
	address Address
}

// send uploads a result. It tries again while the mesh can't take it, until the context ends.
func (u httpUploader) send(ctx context.Context, offer taskOffer, body []byte) (*uploaded, error) {
	peer, secret, err := parseUploadSecret(offer.Upload)
	if err != nil {
		return nil, err
	}
	content := digest(body)
	pause := firstResend
	for {
		// Sealed anew each time, with a new salt.
		sealed, err := sealStream(secret, "upload", newSalt(), body)
		if err != nil {
			return nil, err
		}
		again, wait, err := u.put(ctx, offer.attemptRef, uploadTicket(peer, secret, content), sealed)
		if err == nil {
			return content, nil
		}
		if ctx.Err() != nil {
			return nil, errDropped
		}
		if !again {
			return nil, err
		}
		select {
		case <-time.After(max(wait, pause)):
			pause = min(2*pause, longestResend)
		case <-ctx.Done():
			return nil, errDropped
		}
	}
}

// put makes one request. `again` says that the same request may succeed later.
func (u httpUploader) put(ctx context.Context, ref attemptRef, ticket string, body []byte) (again bool, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	target := u.address.at(fmt.Sprintf("/v1/task-results/%s/%d", ref.TaskID, ref.Fence))
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, target, bytes.NewReader(body))
	if err != nil {
		return false, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+ticket)
	request.Header.Set("Content-Type", "application/octet-stream")
	response, err := u.client.Do(request)
	if err != nil {
		return true, 0, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNoContent {
		return false, 0, nil
	}
	var problem struct {
		Code       string   `json:"code"`
		RetryAfter *float64 `json:"retry_after"`
	}
	json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&problem) // an empty code will do, too
	err = fmt.Errorf("the upload of the result was refused: %d %s", response.StatusCode, cut(problem.Code, 64))
	switch response.StatusCode {
	case http.StatusConflict:
		return false, 0, errDropped
	case http.StatusRequestEntityTooLarge:
		return false, 0, Permanent(err)
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusInsufficientStorage:
		return true, retryAfter(problem.RetryAfter), err
	default:
		return false, 0, err
	}
}

// parseUploadSecret reads PEER_ID.HEX.
func parseUploadSecret(text string) (peer string, secret []byte, err error) {
	peer, rest, _ := strings.Cut(text, ".")
	secret, err = hex.DecodeString(rest)
	id, idErr := hex.DecodeString(peer)
	if err != nil || idErr != nil || len(secret) != 32 || len(id) != 16 || strings.ToLower(text) != text {
		return "", nil, errors.New("the offer's upload secret is malformed") // which is not repeated here
	}
	return peer, secret, nil
}

// digest is what names the bytes of a result.
func digest(body []byte) *uploaded {
	sum := sha256.Sum256(body)
	return &uploaded{Bytes: len(body), SHA256: base64.StdEncoding.EncodeToString(sum[:])}
}

func uploadTicket(peer string, secret []byte, content *uploaded) string {
	length := strconv.Itoa(content.Bytes)
	mac := hmacSHA256(secret, []byte("upload ticket "+length+" "+content.SHA256))
	return peer + "." + length + "." + content.SHA256 + "." + hex.EncodeToString(mac)
}

func newSalt() []byte {
	salt := make([]byte, 32)
	rand.Read(salt) // never fails: crypto/rand ends the program instead
	return salt
}

// sealStream is the salt, then each chunk sealed with AES-256-GCM. The nonce has the chunk's number, and says which is the
// last, so that no chunk can be moved, repeated or cut off.
func sealStream(secret []byte, purpose string, salt, plain []byte) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, secret, salt, "muster/stream/1 "+purpose, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	chunks := max(1, (len(plain)+chunkSize-1)/chunkSize)
	sealed := make([]byte, 0, len(salt)+len(plain)+chunks*aead.Overhead())
	sealed = append(sealed, salt...)
	for number := range chunks {
		nonce := make([]byte, aead.NonceSize())
		binary.BigEndian.PutUint32(nonce[7:], uint32(number))
		if number == chunks-1 {
			nonce[11] = 1
		}
		chunk := plain[number*chunkSize : min((number+1)*chunkSize, len(plain))]
		sealed = aead.Seal(sealed, nonce, chunk, nil)
	}
	return sealed, nil
}
