package muster

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"
)

// sealResult seals a result in an STMF container, which only the owner of `recipient` can open.
func sealResult(recipient string, text []byte) ([]byte, error) {
	public, err := parsePublicKey(recipient)
	if err != nil {
		return nil, err
	}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	rand.Read(nonce) // never fails: crypto/rand ends the program instead
	form, err := resultForm(text)
	if err != nil {
		return nil, err
	}
	return sealForm(public, ephemeral, nonce, form)
}

// resultForm is what is sealed: a form with one field.
func resultForm(text []byte) ([]byte, error) {
	type field struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	return marshal(map[string][]field{"fields": {{"result", string(text)}}})
}

func sealForm(recipient *ecdh.PublicKey, ephemeral *ecdh.PrivateKey, nonce, form []byte) ([]byte, error) {
	agreed, err := ephemeral.ECDH(recipient)
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256(agreed)
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, err
	}
	header := `{"algorithm":"x25519-chacha20poly1305","ephemeral_pk":"` +
		base64.StdEncoding.EncodeToString(ephemeral.PublicKey().Bytes()) + `","version":"1.0"}`
	container := append([]byte("STMF"), 2)
	container = binary.BigEndian.AppendUint32(container, uint32(len(header)))
	container = append(container, header...)
	container = append(container, nonce...)
	return aead.Seal(container, nonce, mask(nonce, form), nil), nil
}

// mask XORs with a stream that the nonce makes. It hides nothing by itself; the format asks for it.
func mask(nonce, plain []byte) []byte {
	masked := make([]byte, len(plain))
	for i := range plain {
		if i%sha256.Size == 0 {
			block := sha256.Sum256(binary.BigEndian.AppendUint64(append([]byte{}, nonce...), uint64(i/sha256.Size)))
			copy(masked[i:], block[:])
		}
		masked[i] ^= plain[i]
	}
	return masked
}
