package muster

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Address is where a mesh is, and what its operator gave along with that.
type Address struct {
	// Base is the mesh's URL (http or https), without a slash at its end.
	Base *url.URL
	// MeshKey is the pinned public key of the mesh, in hex. Empty: trust on first use.
	MeshKey string
	// JoinKey admits a key that the mesh does not know yet. Only a pinned mesh is sent one.
	JoinKey string
}

// ParseAddress reads the URL of a mesh (https://, http://, wss:// or ws://) or a link (muster://HOST/#KEY&join=JOINKEY).
func ParseAddress(text string) (Address, error) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || parsed.User != nil {
		return Address{}, errors.New("the mesh's URL must be https://HOST/ or a link muster://HOST/#KEY")
	}
	address := Address{Base: &url.URL{Host: strings.ToLower(parsed.Host), Path: strings.TrimRight(parsed.Path, "/")}}
	switch parsed.Scheme {
	case "https", "wss":
		address.Base.Scheme = "https"
	case "http", "ws":
		address.Base.Scheme = "http"
	case "muster":
		address.Base.Scheme = "https"
		if isLoopback(parsed.Hostname()) {
			address.Base.Scheme = "http"
		}
		key, rest, _ := strings.Cut(parsed.Fragment, "&")
		address.MeshKey = key
		address.JoinKey = strings.TrimPrefix(rest, "join=")
	default:
		return Address{}, fmt.Errorf("a mesh's URL does not begin with %s:", parsed.Scheme)
	}
	// The proof signs the Host header. Go sends the host of the URL as it stands, so the scheme's own port goes here.
	defaultPort := map[string]string{"https": ":443", "http": ":80"}[address.Base.Scheme]
	address.Base.Host = strings.TrimSuffix(address.Base.Host, defaultPort)
	return address, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// at is the URL of a path below the mesh's URL.
func (a Address) at(path string) string { return a.Base.String() + path }
