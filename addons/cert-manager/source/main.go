// cert-manager in one program: its controllers, its webhook and its cainjector, and the solver of HTTP-01 challenges.
package main

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

// What the Deployment says.
type settings struct {
	// Of the program itself; ClusterIssuers have their Secrets here.
	namespace string
	// What the API server calls the webhook.
	service string
	// The image that this program is in, for pods that solve HTTP-01 challenges.
	image string
}

func main() {
	var wanted settings
	flag.StringVar(&wanted.namespace, "namespace", "cert-manager", "namespace of this program")
	flag.StringVar(&wanted.service, "service", "cert-manager", "name of the webhook's Service")
	flag.StringVar(&wanted.image, "image", "", "image of this program")
	// cert-manager starts the pods that solve challenges with these, and with the image's entrypoint.
	var challenge solver.HTTP01Solver
	flag.IntVar(&challenge.ListenPort, "listen-port", 0, "solve a challenge at this port, and do nothing else")
	flag.StringVar(&challenge.Domain, "domain", "", "domain of the challenge")
	flag.StringVar(&challenge.Token, "token", "", "token of the challenge")
	flag.StringVar(&challenge.Key, "key", "", "answer to the challenge")
	flag.Parse()

	logf.InitLogs()
	defer logf.FlushLogs()
	ctrl.SetLogger(logf.Log)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx = logf.NewContext(ctx, logf.Log)

	if err := run(ctx, wanted, &challenge); err != nil {
		logf.Log.Error(err, "cert-manager ends")
		logf.FlushLogs()
		os.Exit(1)
	}
}

// Runs until it is told to end, or until one part fails: then all of them start again.
func run(ctx context.Context, wanted settings, challenge *solver.HTTP01Solver) error {
	if challenge.ListenPort != 0 {
		context.AfterFunc(ctx, func() { challenge.Close() })
		err := challenge.Listen(logf.Log)
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	parts, ctx := errgroup.WithContext(ctx)
	parts.Go(func() error { return serveWebhook(ctx, wanted) })
	parts.Go(func() error { return injectAuthorities(ctx) })
	parts.Go(func() error { return runControllers(ctx, wanted) })
	return parts.Wait()
}
