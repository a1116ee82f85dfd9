package muster

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// pattern is how the vectors describe many bytes.
func pattern(length int) []byte {
	bytes := make([]byte, length)
	for i := range bytes {
		bytes[i] = byte(i % 251)
	}
	return bytes
}

func TestUploadTickets(t *testing.T) {
	v := vectors[struct {
		SecretText string `json:"secret_text"`
		PeerID     string `json:"peer_id"`
		Secret     string `json:"secret"`
		Uploads    []struct {
			Name         string   `json:"name"`
			Result       string   `json:"result"`
			PatternBytes int      `json:"result_pattern_bytes"`
			Content      uploaded `json:"content"`
			Ticket       string   `json:"ticket"`
		} `json:"uploads"`
		Refused []struct {
			Why        string `json:"why"`
			SecretText string `json:"secret_text"`
		} `json:"refused_secrets"`
	}](t, "result-tickets")
	peer, secret, err := parseUploadSecret(v.SecretText)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "peer", peer, v.PeerID)
	equal(t, "secret", hex.EncodeToString(secret), v.Secret)
	for _, upload := range notEmpty(t, v.Uploads) {
		body := append(unhex(t, upload.Result), pattern(upload.PatternBytes)...)
		content := digest(body)
		equal(t, upload.Name, *content, upload.Content)
		equal(t, upload.Name, uploadTicket(peer, secret, content), upload.Ticket)
	}
	for _, refused := range notEmpty(t, v.Refused) {
		if _, _, err := parseUploadSecret(refused.SecretText); err == nil {
			t.Errorf("a secret was taken: %s", refused.Why)
		}
	}
}

func TestSealedStreams(t *testing.T) {
	v := vectors[struct {
		Secret  string `json:"secret"`
		Salt    string `json:"salt"`
		Streams []struct {
			Name         string `json:"name"`
			Purpose      string `json:"purpose"`
			Plain        string `json:"plain"`
			PatternBytes int    `json:"plain_pattern_bytes"`
			SealedBytes  int    `json:"sealed_bytes"`
			SealedSHA256 string `json:"sealed_sha256"`
		} `json:"streams"`
	}](t, "sealed-streams")
	for _, stream := range notEmpty(t, v.Streams) {
		plain := append(unhex(t, stream.Plain), pattern(stream.PatternBytes)...)
		sealed, err := sealStream(unhex(t, v.Secret), stream.Purpose, unhex(t, v.Salt), plain)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(sealed)
		equal(t, stream.Name, len(sealed), stream.SealedBytes)
		equal(t, stream.Name, hex.EncodeToString(sum[:]), stream.SealedSHA256)
	}
}

func TestSealedResults(t *testing.T) {
	v := vectors[struct {
		Recipient string `json:"recipient_public_key"`
		Ephemeral string `json:"ephemeral_private_key"`
		Nonce     string `json:"nonce"`
		One       []struct {
			Name      string `json:"name"`
			Plain     string `json:"plain_text"`
			Container string `json:"container"`
		} `json:"one_recipient"`
		Result struct {
			Text      string `json:"result_text"`
			Container string `json:"container"`
		} `json:"sealed_result"`
	}](t, "stmf")
	seal := func(form string) string {
		container, err := sealForm(publicKey(t, v.Recipient), privateKey(t, v.Ephemeral), unhex(t, v.Nonce), []byte(form))
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(container)
	}
	for _, one := range notEmpty(t, v.One) {
		equal(t, one.Name, seal(one.Plain), one.Container)
	}
	form, err := resultForm([]byte(v.Result.Text))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "result", seal(string(form)), v.Result.Container)
}
