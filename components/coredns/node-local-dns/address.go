package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"syscall"

	"github.com/vishvananda/netlink"
)

// An interface of its own shows whose address it is, and keeps it out of sight
// of whatever looks at lo.
const dummyName = "nodelocaldns"

// putAddress sees to it that the node has the address, and returns what takes
// back exactly what it did. An address or interface that was there stays there:
// somebody else may use it, or a cache that was killed left it and the next one
// is about to start.
func putAddress(text string) (remove func(), err error) {
	ip := net.ParseIP(text).To4()
	if ip == nil {
		return nil, fmt.Errorf("%q is not an IPv4 address", text)
	}
	address := &netlink.Addr{
		IPNet: &net.IPNet{IP: ip, Mask: net.CIDRMask(32, 32)},
		Scope: int(netlink.SCOPE_HOST), // never chosen as the source of other traffic
	}
	if found, err := anywhere(ip); err != nil || found {
		return func() {}, err
	}

	link, made, err := dummyOrLoopback()
	if err != nil {
		return nil, err
	}
	if err := netlink.AddrAdd(link, address); err != nil && !errors.Is(err, syscall.EEXIST) {
		return nil, fmt.Errorf("adding the address to %s: %w", link.Attrs().Name, err)
	}
	return func() {
		err := netlink.AddrDel(link, address)
		if made {
			err = netlink.LinkDel(link)
		}
		if err != nil {
			log.Printf("[WARNING] Failed to remove %s from %s: %v", ip, link.Attrs().Name, err)
		}
	}, nil
}

// anywhere is true if some interface has the address.
func anywhere(ip net.IP) (bool, error) {
	addresses, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return false, fmt.Errorf("listing addresses: %w", err)
	}
	for _, address := range addresses {
		if address.IP.Equal(ip) {
			return true, nil
		}
	}
	return false, nil
}

// dummyOrLoopback is the interface for the address, and whether it was made here.
func dummyOrLoopback() (link netlink.Link, made bool, err error) {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = dummyName
	link = &netlink.Dummy{LinkAttrs: attributes}
	err = netlink.LinkAdd(link)
	switch {
	case err == nil:
		made = true
	case errors.Is(err, syscall.EEXIST):
		if link, err = netlink.LinkByName(dummyName); err != nil {
			return nil, false, fmt.Errorf("finding %s: %w", dummyName, err)
		}
	case errors.Is(err, syscall.EOPNOTSUPP):
		// A kernel without the dummy driver.
		if link, err = netlink.LinkByName("lo"); err != nil {
			return nil, false, fmt.Errorf("finding lo: %w", err)
		}
		return link, false, nil
	default:
		return nil, false, fmt.Errorf("making %s: %w", dummyName, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return nil, false, fmt.Errorf("setting %s up: %w", dummyName, err)
	}
	return link, made, nil
}
