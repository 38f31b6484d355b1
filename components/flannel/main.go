// flanneld connects the pod networks of the nodes: it takes the node's pod
// network from Kubernetes, sets up the backend that net-conf.json names (vxlan
// or host-gw), the nftables rules for it, and writes the file that the flannel
// CNI plugin reads.
//
// This is kinstall's own front of flannel's packages, for two reasons. flannel's
// own links every backend, among them one for a cloud whose client library is
// not on the module proxies. And kinstall knows the node's address from the
// inventory: the interface is chosen by that address, never guessed by name or
// default route. IPv4 only; rules by nftables only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/flannel-io/flannel/pkg/backend"
	_ "github.com/flannel-io/flannel/pkg/backend/hostgw"
	_ "github.com/flannel-io/flannel/pkg/backend/vxlan"
	"github.com/flannel-io/flannel/pkg/ip"
	"github.com/flannel-io/flannel/pkg/subnet"
	"github.com/flannel-io/flannel/pkg/subnet/kube"
	"github.com/flannel-io/flannel/pkg/trafficmngr/nftables"
	"github.com/flannel-io/flannel/pkg/version"
	"k8s.io/klog/v2"
)

// Seconds between two checks of the rules; the nftables manager sets them once
// and ignores it.
const ruleCheckInterval = 5

// The prefix under which every flannel keeps what it knows of a node.
const annotationPrefix = "flannel.alpha.coreos.com"

type options struct {
	networkFile string // the cluster's network and backend, JSON
	subnetFile  string // written for the CNI plugin
	cniSource   string // configuration of the CNI plugin
	cniTarget   string // where the container runtime looks for it
	kubeconfig  string // empty: the pod's service account
	address     string // the node's address; chooses the interface
	canReach    string // instead of address: what the interface has to reach
	publicIP    string // what other nodes are told, if not address
	masquerade  bool
}

func main() {
	var chosen options
	flag.StringVar(&chosen.networkFile, "net-config-path", "/etc/kube-flannel/net-conf.json", "cluster network and backend")
	flag.StringVar(&chosen.subnetFile, "subnet-file", "/run/flannel/subnet.env", "file to write for the CNI plugin")
	flag.StringVar(&chosen.cniSource, "cni-config-source", "", "file to copy to -cni-config once pods can be connected")
	flag.StringVar(&chosen.cniTarget, "cni-config", "", "where the container runtime looks for the CNI configuration")
	flag.StringVar(&chosen.kubeconfig, "kubeconfig-file", "", "kubeconfig; without it, the pod's service account")
	flag.StringVar(&chosen.address, "iface", "", "address of the interface to other nodes")
	flag.StringVar(&chosen.canReach, "iface-can-reach", "", "take the interface with the route to this address")
	flag.StringVar(&chosen.publicIP, "public-ip", "", "address at which other nodes reach this one, if not the interface's")
	flag.BoolVar(&chosen.masquerade, "ip-masq", false, "masquerade what leaves the pod network")
	fromKubernetes := flag.Bool("kube-subnet-mgr", true, "take the node's pod network from Kubernetes (the only way here)")
	showVersion := flag.Bool("version", false, "print the version and exit")
	klog.InitFlags(nil)
	flag.Parse()

	if *showVersion {
		fmt.Println(version.Version)
		return
	}
	if !*fromKubernetes {
		klog.Exit("only Kubernetes can give out pod networks here; leave out -kube-subnet-mgr=false")
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, chosen); err != nil && !errors.Is(err, context.Canceled) {
		klog.Exit(err)
	}
}

// run returns when ctx is done. Interface and rules stay, so that pods keep
// their network while flanneld restarts.
func run(ctx context.Context, chosen options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	manager, err := kube.NewSubnetManager(ctx, "", chosen.kubeconfig, annotationPrefix, chosen.networkFile, true)
	if err != nil {
		return fmt.Errorf("connecting to Kubernetes: %w", err)
	}
	config, err := manager.GetNetworkConfig(ctx)
	if err != nil {
		return fmt.Errorf("reading %s: %w", chosen.networkFile, err)
	}
	if config.EnableIPv6 || !config.EnableIPv4 {
		return fmt.Errorf("%s asks for IPv6, which this flanneld does not do", chosen.networkFile)
	}
	external, err := externalInterface(chosen)
	if err != nil {
		return err
	}
	klog.Infof("interface %s, address %s, told to others as %s", external.IfaceName, external.IfaceAddr, external.ExtAddr)

	var running sync.WaitGroup
	network, err := register(ctx, &running, manager, config, external)
	if err != nil {
		return err
	}
	if err := setRules(ctx, config, network, chosen.masquerade); err != nil {
		return err
	}
	if err := manager.HandleSubnetFile(chosen.subnetFile, config, chosen.masquerade, network.Lease().Subnet, network.Lease().IPv6Subnet, network.MTU()); err != nil {
		return fmt.Errorf("writing %s: %w", chosen.subnetFile, err)
	}
	if err := putCNIConfig(chosen.cniSource, chosen.cniTarget); err != nil {
		return fmt.Errorf("writing %s: %w", chosen.cniTarget, err)
	}
	klog.Infof("pod network %s by %s, MTU %d", network.Lease().Subnet, config.BackendType, network.MTU())

	running.Go(func() { network.Run(ctx) })
	if err := manager.CompleteLease(ctx, network.Lease(), &running); err != nil {
		return fmt.Errorf("telling Kubernetes that the node has a network: %w", err)
	}
	running.Wait()
	return ctx.Err()
}

// putCNIConfig copies the CNI configuration to where the container runtime
// looks for it. A node without one is not ready and gets no pods: so it must
// not be there before pods can be connected.
func putCNIConfig(source, target string) error {
	if source == "" || target == "" {
		return nil
	}
	content, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	// Not by a name that the runtime would read half a file from.
	temporary := target + ".new"
	if err := os.WriteFile(temporary, content, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, target)
}

// externalInterface is the one that carries the traffic between nodes.
func externalInterface(chosen options) (*backend.ExternalInterface, error) {
	var link *net.Interface
	var address net.IP
	var err error
	switch {
	case chosen.address != "" && chosen.canReach != "":
		return nil, errors.New("-iface and -iface-can-reach exclude each other")
	case chosen.address != "":
		if address, err = parseAddress("iface", chosen.address); err != nil {
			return nil, err
		}
		if link, err = ip.GetInterfaceByIP(address); err != nil {
			return nil, fmt.Errorf("no interface has address %s: %w", address, err)
		}
	case chosen.canReach != "":
		target, err := parseAddress("iface-can-reach", chosen.canReach)
		if err != nil {
			return nil, err
		}
		if link, address, err = ip.GetInterfaceBySpecificIPRouting(target); err != nil {
			return nil, fmt.Errorf("no interface has a route to %s: %w", target, err)
		}
	default:
		return nil, errors.New("give the node's address by -iface, or -iface-can-reach")
	}

	public := address
	if chosen.publicIP != "" {
		if public, err = parseAddress("public-ip", chosen.publicIP); err != nil {
			return nil, err
		}
	}
	return &backend.ExternalInterface{Iface: link, IfaceName: link.Name, IfaceAddr: address, ExtAddr: public}, nil
}

func parseAddress(flagName, text string) (net.IP, error) {
	address := net.ParseIP(text).To4()
	if address == nil {
		return nil, fmt.Errorf("-%s: %q is not an IPv4 address", flagName, text)
	}
	return address, nil
}

func register(ctx context.Context, running *sync.WaitGroup, manager subnet.Manager, config *subnet.Config, external *backend.ExternalInterface) (backend.Network, error) {
	chosen, err := backend.NewManager(ctx, manager, external).GetBackend(config.BackendType)
	if err != nil {
		return nil, fmt.Errorf("backend %q (there are vxlan and host-gw): %w", config.BackendType, err)
	}
	network, err := chosen.RegisterNetwork(ctx, running, config)
	if err != nil {
		return nil, fmt.Errorf("setting up %s: %w", config.BackendType, err)
	}
	return network, nil
}

// setRules lets pod traffic be forwarded whatever the node's default is, and
// gives it the node's address where it leaves the cluster.
func setRules(ctx context.Context, config *subnet.Config, network backend.Network, masquerade bool) error {
	rules := &nftables.NFTablesManager{}
	if err := rules.Init(ctx); err != nil {
		return fmt.Errorf("starting nftables: %w", err)
	}
	var noIPv4 ip.IP4Net
	var noIPv6 ip.IP6Net
	rules.SetupAndEnsureForwardRules(ctx, config.Network, noIPv6, ruleCheckInterval)
	if !masquerade {
		return nil
	}
	// The former subnet and network matter to the iptables manager only.
	err := rules.SetupAndEnsureMasqRules(ctx, config.Network, noIPv4, noIPv4, noIPv6, noIPv6, noIPv6, network.Lease(), ruleCheckInterval, false)
	if err != nil {
		return fmt.Errorf("setting masquerade rules: %w", err)
	}
	return nil
}
