//! What the ingress controller does with annotations of ingress-nginx, certificates, and the Gateway API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::kinstall::{Kinstall, eventually};

const OBJECTS: &str = include_str!("ingress.yaml");

/// Each annotation has the effect that ingress-nginx's documentation gives.
pub fn works(lab: &Kinstall) {
    lab.apply(OBJECTS);
    let ingress = Ingress::of(lab);
    for (host, path, arguments, expected) in [
        ("rewrite", "/shop/hostname", &[][..], "200 "),
        ("moved", "/", &[], "301 https://elsewhere.example.com/"),
        (
            "tls",
            "/hostname",
            &[],
            "308 https://tls.example.com/hostname",
        ),
        ("closed", "/hostname", &[], "403 "),
        ("open", "/hostname", &[], "200 "),
        ("login", "/hostname", &[], "401 "),
        ("login", "/hostname", &["--user", "someone:wrong"], "401 "),
        ("login", "/hostname", &["--user", "someone:secret"], "200 "),
        ("gateway", "/hostname", &[], "200 "),
        ("unknown", "/hostname", &[], "404 "),
    ] {
        let url = format!("http://{host}.example.com{path}");
        let format = [
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code} %{redirect_url}",
        ];
        ingress.answers(&url, &[&format, arguments].concat(), |said| {
            said == expected
        });
    }
    let origin = ["--include", "--header", "Origin: https://app.example.com"];
    ingress.answers("http://cors.example.com/hostname", &origin, |said| {
        let said = said.to_lowercase();
        said.contains("access-control-allow-origin: https://app.example.com")
    });
    certificate_is_of_the_labs_authority(&ingress);
    lab.kubectl(&["delete", "gateways,httproutes", "--all"]);
    eventually("the Ingress has the address", 30, || {
        let object = lab.objects(&["get", "ingress", "tls"]);
        object["status"]["loadBalancer"]["ingress"][0]["ip"] == ingress.address.as_str()
    });
}

/// Nothing of it stays, and neither do its kinds when none of their objects is left.
pub fn is_gone(lab: &Kinstall) {
    let kinds = "namespaces,ingressclasses,clusterroles,customresourcedefinitions";
    let left = lab.kubectl(&["get", kinds, "--ignore-not-found", "-o", "name"]);
    for name in [
        "namespace/ingress",
        "gateway",
        "nginx",
        "contour",
        "traefik",
    ] {
        assert!(!left.contains(name), "{left}");
    }
}

/// For this host, too.
pub fn is_served_with_a_certificate_of_the_lab(lab: &Kinstall, url: &str) {
    has_a_certificate_of_the_lab(&Ingress::of(lab), &[url]);
}

fn certificate_is_of_the_labs_authority(ingress: &Ingress<'_>) {
    // Whether the Ingress asks for TLS or not.
    let urls = [
        "https://tls.example.com/hostname",
        "https://echo.example.com/hostname",
    ];
    has_a_certificate_of_the_lab(ingress, &urls);
}

fn has_a_certificate_of_the_lab(ingress: &Ingress<'_>, urls: &[&str]) {
    let secret = ["get", "secret", "-n", "ingress", "certificate-example.com"];
    let secret = ingress.lab.objects(&secret);
    let authority = secret["data"]["ca.crt"].as_str().unwrap();
    let file = ingress.lab.path("authority.crt");
    std::fs::write(&file, STANDARD.decode(authority).unwrap()).unwrap();
    let authority = ["--cacert", file.to_str().unwrap()];
    for url in urls {
        ingress.answers(url, &authority, |said| said.starts_with("echo-"));
    }
}

struct Ingress<'a> {
    lab: &'a Kinstall,
    address: String,
}

impl<'a> Ingress<'a> {
    fn of(lab: &'a Kinstall) -> Self {
        let service = lab.objects(&["get", "service", "-n", "ingress", "traefik"]);
        let address = &service["status"]["loadBalancer"]["ingress"][0]["ip"];
        Self {
            lab,
            address: address.as_str().unwrap().to_owned(),
        }
    }

    /// Asks by name until the answer is as expected.
    #[track_caller]
    fn answers(&self, url: &str, arguments: &[&str], is_expected: impl Fn(&str) -> bool) {
        let mut last = None;
        let to = format!("::{}:", self.address);
        let question = [
            "curl",
            "--silent",
            "--max-time",
            "5",
            "--connect-to",
            &to,
            url,
        ];
        eventually(&format!("{url} {arguments:?} answers"), 60, || {
            last = self.lab.in_network(&[&question, arguments].concat());
            last.as_deref().is_some_and(&is_expected)
        });
    }
}
