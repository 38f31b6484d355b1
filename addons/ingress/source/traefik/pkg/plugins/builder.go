package plugins

import (
	"context"
	"errors"
	"net/http"

	"github.com/traefik/traefik/v3/pkg/provider"
)

// Constructor makes a handler.
type Constructor func(context.Context, http.Handler) (http.Handler, error)

// Builder would build plugins, which come from the internet and are interpreted: this Traefik has none.
type Builder struct{}

// NewBuilder knows no plugin.
func NewBuilder(_ *Manager, plugins map[string]Descriptor, localPlugins map[string]LocalDescriptor) (*Builder, error) {
	if len(plugins)+len(localPlugins) > 0 {
		return nil, errors.New("this Traefik has no plugins")
	}
	return &Builder{}, nil
}

// Build refuses.
func (Builder) Build(name string, _ map[string]any, _ string) (Constructor, error) {
	return nil, errors.New("this Traefik has no plugin " + name)
}

// BuildProvider refuses.
func (Builder) BuildProvider(name string, _ map[string]any) (provider.Provider, error) {
	return nil, errors.New("this Traefik has no plugin " + name)
}
