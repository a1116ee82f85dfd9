package muster

import (
	"net/url"
	"testing"
)

// query is a URL with its query in the order of the names.
func query(t *testing.T, text string) string {
	t.Helper()
	parsed, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	parsed.RawQuery = parsed.Query().Encode()
	return parsed.String()
}

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]Address{
		"https://Mesh.Example":                  {Base: &url.URL{Scheme: "https", Host: "mesh.example"}},
		"wss://mesh.example:443/":               {Base: &url.URL{Scheme: "https", Host: "mesh.example"}},
		"http://mesh.example:80/a/b/":           {Base: &url.URL{Scheme: "http", Host: "mesh.example", Path: "/a/b"}},
		"ws://[::1]:8787":                       {Base: &url.URL{Scheme: "http", Host: "[::1]:8787"}},
		"https://mesh.example:80":               {Base: &url.URL{Scheme: "https", Host: "mesh.example:80"}},
		"muster://mesh.example/#abc":            {Base: &url.URL{Scheme: "https", Host: "mesh.example"}, MeshKey: "abc"},
		"muster://localhost:8787/#abc&join=mjk": {Base: &url.URL{Scheme: "http", Host: "localhost:8787"}, MeshKey: "abc", JoinKey: "mjk"},
		"muster://127.0.0.2/#abc":               {Base: &url.URL{Scheme: "http", Host: "127.0.0.2"}, MeshKey: "abc"},
		"muster://[::1]/#abc":                   {Base: &url.URL{Scheme: "http", Host: "[::1]"}, MeshKey: "abc"},
	} {
		got, err := ParseAddress(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		equal(t, text, got.at(""), want.at(""))
		equal(t, text, got.MeshKey, want.MeshKey)
		equal(t, text, got.JoinKey, want.JoinKey)
	}
	for _, text := range []string{"", "mesh.example", "ftp://mesh.example", "https://user@mesh.example", "https://"} {
		if _, err := ParseAddress(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
