// Package redis would read the configuration from Redis: nothing here.
package redis

import (
	"errors"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/safe"
)

// ProviderName is what the configuration calls it.
const ProviderName = "redis"

// Provider has no settings.
type Provider struct{}

// Init refuses.
func (*Provider) Init() error {
	return errors.New("this Traefik has no Redis provider")
}

// Provide finds nothing.
func (*Provider) Provide(chan<- dynamic.Message, *safe.Pool) error {
	return nil
}
