package main

import (
	"context"
	"fmt"
	"time"

	admissionregistration "k8s.io/api/admissionregistration/v1"
	core "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cert-manager/cert-manager/internal/apis/config/shared"
	configuration "github.com/cert-manager/cert-manager/internal/apis/config/webhook"
	"github.com/cert-manager/cert-manager/internal/webhook"
	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util"
)

const nobody = "0"

// Checks what users write, at the port that the Deployment names; its certificate is of an authority of its own, in a
// Secret.
func serveWebhook(ctx context.Context, wanted settings) error {
	name := wanted.service + "." + wanted.namespace
	server, err := webhook.NewCertManagerWebhookServer(logf.Log, configuration.WebhookConfiguration{
		SecurePort:           10250,
		HealthzPort:          6080,
		MetricsListenAddress: nobody,
		TLSConfig: shared.TLSConfig{
			Dynamic: shared.DynamicServingConfig{
				SecretNamespace: wanted.namespace,
				SecretName:      wanted.service + "-webhook-ca",
				DNSNames:        []string{wanted.service, name, name + ".svc"},
				LeafDuration:    7 * 24 * time.Hour,
			},
		},
	})
	if err != nil {
		return fmt.Errorf("the webhook can't start: %w", err)
	}
	return server.Run(ctx)
}

// Writes certificates of authorities where the API server looks for them: that of the webhook, and users' own.
func injectAuthorities(ctx context.Context) error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		admissionregistration.AddToScheme, apiextensions.AddToScheme, apiregistration.AddToScheme,
		certmanager.AddToScheme, core.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	access, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("the cainjector can't start: %w", err)
	}
	manager, err := ctrl.NewManager(util.RestConfigWithUserAgent(access, "cainjector"), ctrl.Options{
		Scheme:  scheme,
		Metrics: metrics.Options{BindAddress: nobody},
		// Secrets are asked for one by one: of all the others it keeps only their names.
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&core.Secret{}}}},
	})
	if err != nil {
		return fmt.Errorf("the cainjector can't start: %w", err)
	}
	err = cainjector.RegisterAllInjectors(ctx, manager, cainjector.SetupOptions{
		EnableCertificatesDataSource: true,
		EnabledReconcilersFor: map[string]bool{
			cainjector.APIServiceName:                     true,
			cainjector.CustomResourceDefinitionName:       true,
			cainjector.MutatingWebhookConfigurationName:   true,
			cainjector.ValidatingWebhookConfigurationName: true,
		},
	})
	if err != nil {
		return fmt.Errorf("the cainjector can't start: %w", err)
	}
	return manager.Start(ctx)
}
