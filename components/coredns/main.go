// CoreDNS with the plugins that a cluster's DNS uses.
package main

import (
	"github.com/coredns/coredns/coremain"
	_ "kinstall.local/coredns/plugins"
)

func main() {
	coremain.Run()
}
