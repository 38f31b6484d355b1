//! Where the steps of a playbook run, and for which host.

use super::PlanInput;
use super::control_planes::ControlPlanes;
use super::etcd_hosts::EtcdHosts;
use crate::model::HostSpec;
use crate::playbook::Placement;
use crate::playbook::schema::{Hosts, On};

/// One run of a playbook's steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The host that is concerned.
    pub host: &'a HostSpec,
    /// The host that the steps run on.
    pub on: &'a HostSpec,
}

impl<'a> Place<'a> {
    /// Returns all places of a playbook, in the order of the inventory; or why they can't be told. Hosts that
    /// didn't answer (a host that leaves need not), and those that the user left out, have none. A host that is left out still acts for one
    /// that is not.
    pub(super) fn all(
        placement: Placement,
        input: &PlanInput<'a>,
        control_planes: &ControlPlanes<'a>,
        etcd_hosts: &EtcdHosts<'a>,
    ) -> Result<Vec<Self>, String> {
        let is_planned =
            |host: &HostSpec| input.may_change(host) && input.facts.contains_key(&host.name);
        let acting = |on: On| match on {
            On::ControlPlane => control_planes.acting.clone().map(Some),
            On::EtcdHost => etcd_hosts.acting.clone(),
        };
        Ok(match placement {
            Placement::Each(hosts) => selected(hosts, input, control_planes)?
                .filter(|host| is_planned(host))
                .map(|host| Self { host, on: host })
                .collect(),
            Placement::Once(on) => {
                let on = acting(on)?.filter(|on| is_planned(on));
                on.map(|on| Self { host: on, on }).into_iter().collect()
            }
            Placement::OnFor(on, hosts) => {
                let Some(on) = acting(on)? else {
                    return Ok(Vec::new());
                };
                selected(hosts, input, control_planes)?
                    .filter(|host| hosts == Hosts::Leaving || is_planned(host))
                    .map(|host| Self { host, on })
                    .collect()
            }
        })
    }
}

fn selected<'a>(
    hosts: Hosts,
    input: &PlanInput<'a>,
    control_planes: &ControlPlanes<'a>,
) -> Result<impl Iterator<Item = &'a HostSpec>, String> {
    let initial = match hosts {
        Hosts::InitialControlPlane | Hosts::JoiningControlPlanes => {
            control_planes.initial.clone()?
        }
        Hosts::All
        | Hosts::Nodes
        | Hosts::ControlPlanes
        | Hosts::Workers
        | Hosts::EtcdHosts
        | Hosts::Leaving => None,
    };
    let leaving = input.leaving;
    let is_initial = move |host: &HostSpec| initial.is_some_and(|it| it.name == host.name);
    let is_selected = move |host: &&HostSpec| match hosts {
        Hosts::All => true,
        Hosts::Nodes => host.roles.is_node(),
        Hosts::EtcdHosts => host.roles.etcd,
        Hosts::ControlPlanes => host.roles.control_plane,
        Hosts::InitialControlPlane => is_initial(host),
        Hosts::JoiningControlPlanes => host.roles.control_plane && !is_initial(host),
        Hosts::Workers => host.roles.is_node() && !host.roles.control_plane,
        Hosts::Leaving => leaving.contains(&host.name),
    };
    Ok(input.cluster.hosts.iter().filter(is_selected))
}
