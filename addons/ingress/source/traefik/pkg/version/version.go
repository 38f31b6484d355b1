// Package version holds Traefik's version. It asks nobody for newer ones, which would take a library of GitHub's.
package version

import (
	"net/http"
	"time"

	"github.com/gorilla/mux"
	"github.com/unrolled/render"
)

// Set by the linker, and by a dashboard that this Traefik doesn't have.
var (
	Version            = "dev"
	Codename           = ""
	BuildDate          = ""
	StartDate          = time.Now()
	DisableDashboardAd = true
	DashboardName      = ""
)

// Handler serves the version.
type Handler struct{}

// Append adds its route.
func (Handler) Append(router *mux.Router) {
	router.Methods(http.MethodGet).Path("/api/version").HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {
		_ = render.New().JSON(response, http.StatusOK, map[string]any{"Version": Version, "startDate": StartDate})
	})
}

// CheckNewVersion does nothing.
func CheckNewVersion() {}
