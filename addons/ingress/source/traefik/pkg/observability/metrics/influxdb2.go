package metrics

import (
	"context"

	otypes "github.com/traefik/traefik/v3/pkg/observability/types"
)

// RegisterInfluxDB2 would send metrics to InfluxDB; here they are only there for Prometheus and OpenTelemetry.
func RegisterInfluxDB2(context.Context, *otypes.InfluxDB2) Registry {
	return NewVoidRegistry()
}

// StopInfluxDB2 has nothing to stop.
func StopInfluxDB2() {}
