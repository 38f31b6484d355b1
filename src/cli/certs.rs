//! `kinstall certs`: the cluster's certificates, their authorities, and the key of its service accounts.

mod authorities;
mod service_account_key;

use clap::Subcommand;

use super::GlobalArguments;
use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::authorities::AuthorityKind;
use crate::install::{Installation, certificates};
use crate::report::certificates::CertificateOnNode;
use crate::ui::certificates::table;
use crate::ui::printer::{Format, Printer};
use crate::ui::prompt;

/// From this many days before its end on, a certificate is warned of: the timer has had its chances by then.
const SOON: i64 = 30;

#[derive(Debug, Subcommand)]
pub enum CertsCommand {
    /// List the certificates on all nodes and when they end
    Status,
    /// Make the certificates of the control planes anew, one control plane after another
    Renew {
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Give the cluster new authorities, and certificates of them; a day later, the same command drops the old ones
    RotateCa {
        /// The authority of API servers, kubelets and users
        #[arg(long)]
        cluster: bool,
        /// The authority of etcd
        #[arg(long)]
        etcd: bool,
        /// The authority of the front proxy, for API extensions
        #[arg(long)]
        front_proxy: bool,
        /// Drop the old ones before their time; certificates of them are of no use any more
        #[arg(long)]
        finish: bool,
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Sign the tokens of service accounts with a new key; a day later, the same command drops the old one
    RotateSaKey {
        /// Drop the old key before its time; tokens that it has signed are of no use any more
        #[arg(long)]
        finish: bool,
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
    },
}

/// Lists or renews certificates.
pub fn run(
    global: &GlobalArguments,
    command: &CertsCommand,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    match command {
        CertsCommand::Status => status(global, printer),
        CertsCommand::Renew { yes } => renew(global, *yes, printer),
        CertsCommand::RotateCa {
            cluster,
            etcd,
            front_proxy,
            finish,
            yes,
        } => {
            let chosen = [
                (*cluster, AuthorityKind::Cluster),
                (*front_proxy, AuthorityKind::FrontProxy),
                (*etcd, AuthorityKind::Etcd),
            ];
            let chosen = chosen.into_iter().filter(|(is_chosen, _)| *is_chosen);
            let chosen: Vec<AuthorityKind> = chosen.map(|(_, kind)| kind).collect();
            authorities::rotate(global, &chosen, *finish, *yes, printer)
        }
        CertsCommand::RotateSaKey { finish, yes } => {
            service_account_key::rotate(global, *finish, *yes, printer)
        }
    }
}

fn status(global: &GlobalArguments, printer: Printer) -> Result<Exit, Diagnostics> {
    let (certificates, problems) = certificates::list(global.project(None)?)?;
    match printer.format {
        Format::Text => printer.data(&table(&certificates)),
        Format::Json => printer.json(&certificates),
    }
    for certificate in certificates.iter().filter(|it| it.days < SOON) {
        printer.diagnostic(&warning(certificate));
    }
    printer.diagnostics(&problems);
    Ok(match problems.first() {
        None => Exit::Success,
        Some(problem) => Exit::Of(problem.kind.exit_code()),
    })
}

fn warning(certificate: &CertificateOnNode) -> Diagnostic {
    let CertificateOnNode {
        node, path, days, ..
    } = certificate;
    let message = if *days < 0 {
        format!("{node}: {path} has expired")
    } else {
        format!("{node}: {path} ends in {days} days")
    };
    let hint = if certificate.authority {
        "all certificates of the cluster come from it"
    } else if path.starts_with("/var/lib/kubelet/") {
        "the kubelet renews it by itself; where it could not, `kinstall up` lets the node in again"
    } else {
        "`kinstall certs renew` makes it anew"
    };
    Diagnostic::warning(message).hint(hint)
}

fn renew(global: &GlobalArguments, yes: bool, printer: Printer) -> Result<Exit, Diagnostics> {
    let project = global.project(None)?;
    project.require_lab()?;
    let question = format!(
        "Renew the certificates of the control planes of {}, one control plane after another?",
        project.cluster.name
    );
    if !yes && !prompt::confirm(&question) {
        let error = Diagnostic::error(Kind::Interrupted, "nothing was renewed");
        return Err(vec![error.hint("answer y, or give --yes")]);
    }
    let installation = Installation::to_apply(&global.settings(), project)?;
    let applied = installation.renew_certificates(printer.observer())?;
    printer.summary(&applied.summary);
    if applied.all_done {
        Ok(Exit::Success)
    } else {
        Ok(Exit::of_failures(&applied.summary))
    }
}
