//! End to end on real nodes: real systemd, sshd, containerd and kubelet, from the course's inventory.
//!
//! Needs root and a built bundle: `./test clusters`. The tests share the computer, so they run one after the other.

mod addons;
mod authorities;
mod cert_manager;
mod certificates;
mod cilium;
mod cluster;
mod control_planes;
mod dashboard;
mod encryption;
mod etcd;
mod etcd_on_hosts;
mod existing;
mod five_control_planes;
mod hardening;
mod ingress;
mod interrupted;
mod kills;
mod kinstall;
mod lab;
mod lived_before;
mod lost_majority;
mod monitoring;
mod nodes;
mod own_image;
mod own_manifests;
mod pages;
mod registry;
mod reset;
mod resources;
mod rollback;
mod secrets;
mod service_accounts;
mod storage;
mod traces;
mod upgrade;
mod verify;
mod virtual_machines;
