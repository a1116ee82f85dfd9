package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.com/go-peer/muster"
)

// configFrom reads the environment. README.md lists the variables.
func configFrom(env func(string) string) (muster.Config, error) {
	var cfg muster.Config
	var err error
	if cfg.Address, err = muster.ParseAddress(env("MUSTER_URL")); err != nil {
		return cfg, fmt.Errorf("MUSTER_URL: %w", err)
	}
	if key := env("MUSTER_MESH_KEY"); key != "" {
		cfg.Address.MeshKey = key
	}
	if key := env("MUSTER_JOIN_KEY"); key != "" {
		cfg.Address.JoinKey = key
	}
	keyFile := env("MUSTER_KEY_FILE")
	switch {
	case env("MUSTER_PRIVATE_KEY") != "":
		cfg.Key, err = muster.ParsePrivateKey(env("MUSTER_PRIVATE_KEY"))
	case keyFile != "":
		cfg.Key, err = muster.LoadOrCreateKey(keyFile)
	default:
		err = errors.New("MUSTER_KEY_FILE or MUSTER_PRIVATE_KEY has to be set")
	}
	if err != nil {
		return cfg, err
	}
	if keyFile != "" {
		cfg.PinFile = keyFile + ".mesh"
	}
	cfg.Name = orElse(env("MUSTER_NAME"), "go-peer")
	cfg.Client = "muster-go-peer/1"
	cfg.Labels = list(env("MUSTER_CAPABILITIES"))
	cfg.Prefetch = env("MUSTER_PREFETCH") == "1"
	if cfg.Slots, err = strconv.Atoi(orElse(env("MUSTER_SLOTS"), "1")); err != nil {
		return cfg, errors.New("MUSTER_SLOTS is no number")
	}
	drain, err := strconv.Atoi(orElse(env("MUSTER_DRAIN_SECONDS"), "60"))
	if err != nil || drain < 0 {
		return cfg, errors.New("MUSTER_DRAIN_SECONDS is no number of seconds")
	}
	cfg.DrainLimit = time.Duration(drain) * time.Second
	return cfg, nil
}

// chosen are the handlers of the kinds in a list with commas; all of them if it is empty.
func chosen(all map[string]muster.Handler, kinds string) map[string]muster.Handler {
	if kinds == "" {
		return all
	}
	some := map[string]muster.Handler{}
	for _, kind := range list(kinds) {
		if handler, ok := all[kind]; ok {
			some[kind] = handler
		}
	}
	return some
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
