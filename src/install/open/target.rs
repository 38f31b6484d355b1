//! What `kinstall open` can be told to open.

use std::net::SocketAddr;
use std::str::FromStr;

use crate::addon::{self, Addon, Page};
use crate::did_you_mean::closest;

/// Name of the page that is kinstall's own.
const DASHBOARD: &str = "dashboard";

/// A page, as the user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageTarget {
    /// kinstall's own.
    Dashboard,
    InCluster(PageInCluster),
}

/// A page that something in the cluster serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageInCluster {
    /// Of an add-on: `metrics`.
    OfAddon(&'static Addon, &'static Page),
    /// `192.168.56.50:80`.
    Address(SocketAddr),
    /// `NAMESPACE/SERVICE`, or `NAMESPACE/SERVICE:PORT` with the port's number or name.
    Service {
        namespace: String,
        name: String,
        port: Option<String>,
    },
}

/// The text names nothing that can be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{expected}{}", suggestion.map_or_else(String::new, |it| format!("; did you mean `{it}`?")))]
pub struct NotATarget {
    expected: String,
    suggestion: Option<&'static str>,
}

impl FromStr for PageTarget {
    type Err = NotATarget;

    fn from_str(text: &str) -> Result<Self, NotATarget> {
        if text == DASHBOARD {
            return Ok(Self::Dashboard);
        }
        if let Some((addon, page)) = addon::pages().find(|(_, page)| page.name == text) {
            return Ok(Self::InCluster(PageInCluster::OfAddon(addon, page)));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::InCluster(PageInCluster::Address(address)));
        }
        let (service, port) = match text.split_once(':') {
            Some((service, port)) => (service, Some(port)),
            None => (text, None),
        };
        if let Some((namespace, name)) = service.split_once('/')
            && [namespace, name].into_iter().chain(port).all(is_name)
        {
            return Ok(Self::InCluster(PageInCluster::Service {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                port: port.map(str::to_owned),
            }));
        }
        let of_addons = || addon::pages().map(|(_, page)| page.name.as_str());
        let names = || std::iter::once(DASHBOARD).chain(of_addons());
        let names_of_all: Vec<&str> = names().collect();
        Err(NotATarget {
            expected: format!(
                "write {}, ADDRESS:PORT or NAMESPACE/SERVICE",
                names_of_all.join(", ")
            ),
            suggestion: closest(text, names()),
        })
    }
}

/// Kubernetes' names of namespaces, Services and ports.
pub(super) fn is_name(text: &str) -> bool {
    let is_allowed = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || "-.".contains(it);
    !text.is_empty() && text.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::{PageInCluster, PageTarget};

    fn service(text: &str) -> Option<(String, String, Option<String>)> {
        match text.parse() {
            Ok(PageTarget::InCluster(PageInCluster::Service {
                namespace,
                name,
                port,
            })) => Some((namespace, name, port)),
            _ => None,
        }
    }

    #[test]
    fn pages_addresses_and_services_are_told_apart() {
        for name in ["metrics", "logs"] {
            let Ok(PageTarget::InCluster(PageInCluster::OfAddon(_, page))) = name.parse() else {
                panic!("{name}");
            };
            assert_eq!(page.name, name);
        }
        let address = "192.168.56.50:80".parse().unwrap();
        let page = PageTarget::InCluster(PageInCluster::Address(address));
        assert_eq!("192.168.56.50:80".parse(), Ok(page));
        assert_eq!("dashboard".parse(), Ok(PageTarget::Dashboard));
        let parts = |port: Option<&str>| {
            Some(("shop".to_owned(), "web".to_owned(), port.map(str::to_owned)))
        };
        assert_eq!(service("shop/web"), parts(None));
        assert_eq!(service("shop/web:80"), parts(Some("80")));
        assert_eq!(service("shop/web:http"), parts(Some("http")));
    }

    #[test]
    fn anything_else_is_refused_with_what_can_be_written() {
        let error = "metric".parse::<PageTarget>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "write dashboard, logs, metrics, ADDRESS:PORT or NAMESPACE/SERVICE; did you mean `metrics`?"
        );
        for text in [
            "",
            "shop",
            "shop/",
            "/web",
            "shop/web:",
            "shop/we b",
            "a/b/c",
            "$(id)/x",
        ] {
            assert!(text.parse::<PageTarget>().is_err(), "{text}");
        }
    }
}
