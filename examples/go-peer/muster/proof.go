package muster

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
)

// connectProof shows the mesh, before the handshake, that the caller has the private key of the ID in its URL.
func connectProof(peer *ecdh.PrivateKey, mesh *ecdh.PublicKey, host string, unixSeconds int64) (string, error) {
	agreed, err := peer.ECDH(mesh)
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(append([]byte("muster/2 connect"), agreed...))
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(host + strconv.FormatInt(unixSeconds, 10)))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// connectURL is the URL of a dial. It is good for one minute.
func connectURL(address Address, peer *ecdh.PrivateKey, mesh *ecdh.PublicKey, unixSeconds int64) (string, error) {
	proof, err := connectProof(peer, mesh, address.Base.Host, unixSeconds)
	if err != nil {
		return "", err
	}
	query := url.Values{
		"peer":  {idOf(peer.PublicKey())},
		"pub":   {hexOf(peer.PublicKey())},
		"mesh":  {idOf(mesh)},
		"t":     {strconv.FormatInt(unixSeconds, 10)},
		"proof": {proof},
	}
	target := *address.Base
	target.Scheme = map[string]string{"https": "wss", "http": "ws"}[address.Base.Scheme]
	target.Path += "/v1/connect"
	target.RawQuery = query.Encode()
	return target.String(), nil
}
