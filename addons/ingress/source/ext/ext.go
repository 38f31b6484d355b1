// Package ext is what routers and the configuration of HTTP have more in another edition of Traefik: nothing here.
package ext

// HTTP is embedded in the configuration of HTTP.
type HTTP struct{}

// Router is embedded in every router.
type Router struct{}
