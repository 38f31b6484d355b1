// node-local-dns is a DNS cache on every node: CoreDNS on an address that only
// the node and its pods can reach. Pods keep asking the same address wherever
// they run, and names are answered while the cluster's DNS is away.
//
// Before CoreDNS starts, the address has to be on the node. CoreDNS' own flags
// (-conf, -quiet, ...) are understood as well.
package main

import (
	"flag"
	"log"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/coremain"
	_ "kinstall.local/coredns/plugins"
)

func main() {
	address := flag.String("address", "169.254.25.10", "IPv4 address to put on the node and to remove at the end")
	flag.Parse()

	if !onlyShows() {
		remove, err := putAddress(*address)
		if err != nil {
			log.Fatalf("putting %s on the node: %v", *address, err)
		}
		// After the shutdown callbacks: until then, queries are still answered.
		caddy.OnProcessExit = append(caddy.OnProcessExit, remove)
	}
	coremain.Run()
}

// onlyShows is true if CoreDNS will print something and exit.
func onlyShows() bool {
	for _, name := range []string{"version", "plugins"} {
		if flag.Lookup(name).Value.String() == "true" {
			return true
		}
	}
	return false
}
