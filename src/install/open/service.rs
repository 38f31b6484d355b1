//! The Services of the cluster, and where a control plane reaches them.

use std::net::SocketAddr;

use serde_json::Value;

use super::{Place, scheme};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::did_you_mean::closest;
use crate::ssh::{Exit, Session};

const LIST: &str = "PATH=$PATH:/usr/local/bin; exec kubectl --kubeconfig /etc/kubernetes/admin.conf get \
    services --all-namespaces --output json";

/// All of them, as the API server lists them.
pub(super) struct Services(Vec<Value>);

impl Services {
    /// Asks for them on a control plane.
    pub(super) async fn of(session: &Session, host: &str) -> Result<Self, Diagnostics> {
        let finished = session.exec_as_root(LIST).await;
        let finished = finished.map_err(|error| vec![error.diagnostic(host)])?;
        let list: Option<Value> = serde_json::from_slice(&finished.stdout).ok();
        match list {
            Some(list) if finished.exit == Exit::Code(0) => Ok(Self::from_list(&list)),
            _ => {
                let text = String::from_utf8_lossy(&finished.stderr);
                let reason = text.lines().last().unwrap_or("no output").to_owned();
                let message = format!("the API server did not answer: {reason}");
                let error = Diagnostic::error(Kind::Environment, message);
                Err(vec![error.hint("`kinstall status` shows what is wrong")])
            }
        }
    }

    fn from_list(list: &Value) -> Self {
        Self(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// Finds a port of a Service by its number or name; without one, the first.
    pub(super) fn find(
        &self,
        namespace: &str,
        name: &str,
        port: Option<&str>,
        path: &str,
    ) -> Result<Place, Diagnostics> {
        let title = format!("{namespace}/{name}");
        let mut services = self.0.iter();
        let service = services.find(|it| self::title(it) == title);
        let Some(service) = service else {
            let titles: Vec<String> = self.0.iter().map(self::title).collect();
            let error = Diagnostic::error(Kind::Environment, format!("no Service `{title}`"));
            return Err(vec![
                match closest(&title, titles.iter().map(String::as_str)) {
                    Some(known) => error.hint(format!("did you mean `{known}`?")),
                    None => error.hint("`kubectl get services --all-namespaces` lists them"),
                },
            ]);
        };
        let ports = service["spec"]["ports"].as_array().into_iter().flatten();
        let ports: Vec<Port> = ports.filter_map(Port::of).collect();
        let mut ports_of_name = ports.iter().filter(|it| {
            port.is_none_or(|wanted| it.number.to_string() == wanted || it.name == wanted)
        });
        let Some(found) = ports_of_name.next() else {
            let wanted = port.map_or_else(String::new, |it| format!(" `{it}`"));
            let message = format!("Service `{title}` has no TCP port{wanted}");
            let known: Vec<String> = ports.iter().map(|it| it.number.to_string()).collect();
            let error = Diagnostic::error(Kind::Environment, message);
            return Err(vec![match known.as_slice() {
                [] => error,
                known => error.hint(format!("its ports: {}", known.join(", "))),
            }]);
        };
        let address = service["spec"]["clusterIP"].as_str().unwrap_or_default();
        let Ok(address) = address.parse() else {
            let message = format!("Service `{title}` has no address of its own");
            let error = Diagnostic::error(Kind::Environment, message);
            return Err(vec![error.hint(
                "it is headless or names a host elsewhere; `kubectl port-forward` leads to one of its pods",
            )]);
        };
        Ok(Place {
            address: SocketAddr::new(address, found.number),
            scheme: scheme(found.number, found.protocol),
            path: path.to_owned(),
            title: format!("Service `{title}` ({address}:{})", found.number),
        })
    }
}

fn title(service: &Value) -> String {
    let text = |name: &str| service["metadata"][name].as_str().unwrap_or_default();
    format!("{}/{}", text("namespace"), text("name"))
}

/// A TCP port of a Service.
struct Port<'a> {
    number: u16,
    name: &'a str,
    /// What says which protocol is spoken there.
    protocol: &'a str,
}

impl<'a> Port<'a> {
    fn of(port: &'a Value) -> Option<Self> {
        let is_tcp = port["protocol"].as_str().is_none_or(|it| it == "TCP");
        let name = port["name"].as_str().unwrap_or_default();
        is_tcp.then_some(Self {
            number: port["port"].as_u64()?.try_into().ok()?,
            name,
            protocol: port["appProtocol"].as_str().unwrap_or(name),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Services;

    fn services() -> Services {
        let service = |namespace: &str, name: &str, address: &str| {
            json!({
                "metadata": {"namespace": namespace, "name": name},
                "spec": {"clusterIP": address, "ports": [
                    {"port": 53, "protocol": "UDP", "name": "dns"},
                    {"port": 80, "name": "web"},
                    {"port": 9000, "name": "https-admin", "protocol": "TCP"},
                ]},
            })
        };
        Services::from_list(&json!({"items": [
            service("shop", "web", "10.233.0.7"),
            service("shop", "parts", "None"),
        ]}))
    }

    fn found(namespace: &str, name: &str, port: Option<&str>) -> String {
        match services().find(namespace, name, port, "/") {
            Ok(place) => format!("{}://{}{}", place.scheme, place.address, place.path),
            Err(errors) => format!("{}; {}", errors[0].message, errors[0].hints.join("; ")),
        }
    }

    #[test]
    fn a_port_is_found_by_number_or_name_and_says_what_speaks_there() {
        assert_eq!(found("shop", "web", None), "http://10.233.0.7:80/");
        assert_eq!(found("shop", "web", Some("80")), "http://10.233.0.7:80/");
        let admin = "https://10.233.0.7:9000/";
        assert_eq!(found("shop", "web", Some("https-admin")), admin);
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        assert_eq!(
            found("shop", "wep", None),
            "no Service `shop/wep`; did you mean `shop/web`?"
        );
        assert_eq!(
            found("shop", "web", Some("53")),
            "Service `shop/web` has no TCP port `53`; its ports: 80, 9000"
        );
        assert!(
            found("shop", "parts", None)
                .starts_with("Service `shop/parts` has no address of its own")
        );
    }
}
