//! `kinstall open`: the dashboard, or a page of the cluster, on a port of this computer's loopback.

mod dashboard;
mod service;
mod target;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

pub use target::{PageInCluster, PageTarget};

use self::service::Services;
use super::lab::LabMachines;
use super::project::Project;
use super::{kubectl, passage, runtime};
use crate::addon::Addon;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::error_chain::error_chain;
use crate::run::{Cancel, Level};
use crate::ssh::SshError;

/// Where a page is, as a control plane connects to it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    address: SocketAddr,
    /// `http` or `https`.
    scheme: &'static str,
    path: String,
    /// What messages call it.
    title: String,
}

/// Serves a page until Ctrl-C; `tell` gets its URL when it can be opened.
pub fn open(
    project: Project,
    machines: LabMachines,
    target: &PageTarget,
    port: Option<u16>,
    tell: impl FnOnce(&str),
) -> Result<(), Diagnostics> {
    if let PageTarget::InCluster(PageInCluster::OfAddon(addon, _)) = target {
        require_on(&project, addon)?;
    }
    let runtime = runtime::start()?;
    let served = runtime.block_on(async {
        let mut cancel = Cancel::on_ctrl_c();
        let serving = async {
            match target {
                PageTarget::Dashboard => Err(dashboard::serve(project, machines, port, tell).await),
                PageTarget::InCluster(page) => pass_on(&project, &machines, page, port, tell).await,
            }
        };
        tokio::select! {
            ended = serving => ended,
            () = cancel.reached(Level::AfterStep) => Ok(()),
        }
    });
    runtime.shutdown_background();
    served
}

/// Finds where a page is in the cluster, and passes connections on to it.
async fn pass_on(
    project: &Project,
    machines: &LabMachines,
    page: &PageInCluster,
    port: Option<u16>,
    tell: impl FnOnce(&str),
) -> Result<(), Diagnostics> {
    let (host, session) = kubectl::control_plane(project, machines).await?;
    let place = match page {
        PageInCluster::Address(address) => Place::of_address(*address),
        PageInCluster::OfAddon(_, page) => {
            let services = Services::of(&session, &host.name).await?;
            services.find(&page.namespace, &page.service, None, &page.path)?
        }
        PageInCluster::Service {
            namespace,
            name,
            port,
        } => {
            let services = Services::of(&session, &host.name).await?;
            services.find(namespace, name, port.as_deref(), "/")?
        }
    };
    let probed = passage::probe(&session, place.address).await;
    probed.map_err(|error| vec![silent(&place, &error)])?;
    let listener = listen(port, place.address.port()).await;
    let listener = listener.map_err(|error| vec![no_port(port, &error)])?;
    let local = listener.local_addr();
    let local = local.map_err(|error| vec![no_port(port, &error)])?;
    tell(&format!("{}://{local}{}", place.scheme, place.path));
    let target = session.target().clone();
    passage::serve(listener, target, session, place.address).await;
    let message = format!("{local} can't take connections any more");
    Err(vec![Diagnostic::error(Kind::Environment, message)])
}

impl Place {
    fn of_address(address: SocketAddr) -> Self {
        Self {
            address,
            scheme: scheme(address.port(), ""),
            path: "/".to_owned(),
            title: address.to_string(),
        }
    }
}

/// Tells by a port and its name what speaks there.
fn scheme(port: u16, name: &str) -> &'static str {
    if name.starts_with("https") || matches!(port, 443 | 6443 | 8443) {
        "https"
    } else {
        "http"
    }
}

fn require_on(project: &Project, addon: &Addon) -> Result<(), Diagnostics> {
    if project.cluster.has(addon) {
        return Ok(());
    }
    let message = format!("the add-on `{}` is off", addon.name);
    let error = Diagnostic::error(Kind::Inventory, message);
    Err(vec![match &addon.switch {
        Some(switch) => error.hint(format!(
            "set `{}: true` in the inventory and run `kinstall up`",
            switch.variable
        )),
        None => error,
    }])
}

/// Listens where the user wants, else on the page's own port, else on any.
async fn listen(wanted: Option<u16>, own: u16) -> io::Result<TcpListener> {
    let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    match wanted {
        Some(port) => bind(port).await,
        None => match bind(own).await {
            Ok(listener) => Ok(listener),
            Err(_) => bind(0).await,
        },
    }
}

fn no_port(port: Option<u16>, error: &io::Error) -> Diagnostic {
    let port = port.unwrap_or(0);
    let message = format!("failed to listen on 127.0.0.1:{port}: {error}");
    Diagnostic::error(Kind::Environment, message).hint("choose another port with --port")
}

fn silent(place: &Place, error: &SshError) -> Diagnostic {
    let (kind, reason) = match error {
        SshError::Tunnel { source, .. } => (Kind::Environment, source.to_string()),
        error => (Kind::Connection, error_chain(error)),
    };
    let message = format!("nothing answers at {}: {reason}", place.title);
    Diagnostic::error(kind, message).hint("`kinstall status` shows whether its pods are ready")
}
