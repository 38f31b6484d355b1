// Package ecs would find services of Amazon ECS. Its libraries are the larger part of Traefik's compilation, and a
// cluster's ingress has no use for it.
package ecs

import (
	"errors"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/safe"
)

// ProviderName is what the configuration calls it.
const ProviderName = "ecs"

// Provider has no settings.
type Provider struct{}

// Init refuses.
func (*Provider) Init() error {
	return errors.New("this Traefik has no ECS provider")
}

// Provide finds nothing.
func (*Provider) Provide(chan<- dynamic.Message, *safe.Pool) error {
	return nil
}
