//! Add-ons that the inventory switches on.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;
use serde_json::Value;

use crate::addon::{self, Addon};

/// The add-ons of the cluster.
#[derive(Clone, Debug, Serialize)]
pub struct Addons {
    /// `metallb_enabled`.
    pub metallb: Option<MetalLb>,
    /// `ingress_nginx_enabled` (or `ingress_enabled`).
    pub ingress: Option<Ingress>,
    /// All others, by the name that templates know them by: [`Addon::key`].
    #[serde(flatten)]
    pub defined: BTreeMap<String, DefinedAddon>,
}

/// An add-on whose settings its own definition lists: `addons/NAME/addon.yml`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DefinedAddon {
    pub enabled: bool,
    /// The inventory says whether.
    #[serde(skip)]
    pub is_said: bool,
    #[serde(flatten)]
    pub settings: BTreeMap<String, Value>,
}

/// None is on, and all have their default settings.
impl Default for Addons {
    fn default() -> Self {
        let defined = addon::all().iter().filter(|it| it.switch.is_some());
        let defined = defined.map(|addon| {
            let settings = addon.settings.iter();
            let off = DefinedAddon {
                enabled: false,
                is_said: false,
                settings: settings
                    .map(|(name, setting)| (name.clone(), setting.default.clone()))
                    .collect(),
            };
            (addon.key(), off)
        });
        Self {
            metallb: None,
            ingress: None,
            defined: defined.collect(),
        }
    }
}

impl Addons {
    /// Returns whether the add-on with this name, that of its folder, is wanted.
    pub fn is_on(&self, addon: &Addon) -> bool {
        match addon.name.as_str() {
            "metallb" => self.metallb.is_some(),
            "ingress" => self.ingress.is_some(),
            _ => self.defined.get(&addon.key()).is_some_and(|it| it.enabled),
        }
    }

    /// Decides for add-ons of which the inventory doesn't say whether they are wanted.
    pub fn settle(&mut self, makes_machines: bool) {
        for addon in addon::all() {
            let on_made_machines = addon.switch.as_ref().is_some_and(|it| it.on_made_machines);
            if let Some(defined) = self.defined.get_mut(&addon.key())
                && !defined.is_said
            {
                defined.enabled = on_made_machines && makes_machines;
            }
        }
    }
}

/// MetalLB in layer 2 mode.
#[derive(Clone, Debug, Serialize)]
pub struct MetalLb {
    /// `metallb_ip_range` and the pools of other variables, in inventory order.
    pub pools: Vec<AddressPool>,
}

/// Addresses that Services of type LoadBalancer get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AddressPool {
    /// What Services ask for by the annotation `metallb.io/address-pool`.
    pub name: String,
    pub ranges: Vec<AddressRange>,
    /// Whether Services that ask for no pool get addresses of this one.
    pub auto_assign: bool,
}

/// Inclusive address range, written `first-last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AddressRange {
    pub first: IpAddr,
    pub last: IpAddr,
}

/// The ingress controller (Traefik).
#[derive(Clone, Debug, Serialize)]
pub struct Ingress {
    /// Ingress classes that are served; the first is the default class for class-less objects.
    pub classes: Vec<String>,
    /// `ingress_nginx_without_class`: whether objects without a class are served as well.
    pub without_class: bool,
    /// `kinstall_ingress_domains`: the certificate of the lab's authority is for these and the names one level below.
    pub domains: Vec<String>,
    /// Name of the Secret with that certificate; another one for other domains.
    pub certificate: String,
}

impl Ingress {
    /// Returns the names that the certificate is for.
    pub fn certificate_names(&self) -> Vec<String> {
        let domains = self.domains.iter();
        let mut names: Vec<String> = domains
            .flat_map(|domain| [domain.clone(), format!("*.{domain}")])
            .collect();
        // Where `kinstall forward` leads to.
        names.push("localhost".to_owned());
        names
    }
}
