//! Resources against the real programs that a node has: an API server with its etcd, containerd.
//!
//! The folder with the built programs is named by `KINSTALL_TEST_PROGRAMS`; because they take long to
//! build, `./test programs` runs these tests.
//! Everything stays on loopback and in temporary folders.

mod api_server;
mod containerd;
mod disk;
mod images;
mod manifests;
mod registry;
mod started;
