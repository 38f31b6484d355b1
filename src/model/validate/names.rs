//! Names of hosts, and of what hangs on them.

use super::super::names::{self, LONGEST_NODE_NAME};
use super::super::{ClusterSpec, Provider};
use super::{Places, error};
use crate::diagnostic::Diagnostics;

pub(super) fn check(spec: &ClusterSpec, places: &Places, diagnostics: &mut Diagnostics) {
    for (host, location) in spec.hosts.iter().zip(&places.names) {
        let length = host.name.chars().count();
        if length > LONGEST_NODE_NAME {
            diagnostics.push(
                error(
                    location,
                    format!("the host name `{}` is too long for a node", host.name),
                    format!("{length} characters"),
                )
                .hint(format!(
                    "a node's name has at most {LONGEST_NODE_NAME} characters: choose a shorter one; \
                     the domain can stand in `node_domain`"
                )),
            );
        } else if !names::is_subdomain(&host.name) {
            let wrong = error(
                location,
                format!("`{}` is not a valid name for a Kubernetes node", host.name),
                "not valid",
            )
            .hint("only lower-case letters, digits, `-` and `.`; letter or digit first and last");
            diagnostics.push(match names::corrected(&host.name) {
                Some(corrected) => wrong.hint(format!("call it `{corrected}`")),
                None => wrong,
            });
        } else if spec.provider == Some(Provider::Container)
            && let Some((message, hint)) = names::container_fault(&host.name)
        {
            diagnostics.push(error(location, message, format!("{length} characters")).hint(hint));
        }
    }
}
