//! Annotations of ingress-nginx that Traefik doesn't know, or takes an Ingress out of service for.
//!
//! Sources: the fields that Traefik's provider for ingress-nginx reads (3.7; a test compares them with the program
//! in the bundle), what it does with each, and its settings in `addons/ingress/traefik.yaml.tera`.

use serde::Serialize;
use serde_json::Value;

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

/// Annotations with the effect that ingress-nginx's documentation gives, without their prefix.
#[rustfmt::skip]
const WITH_EFFECT: &[&str] = &[
    "affinity", "allowlist-source-range", "app-root", "auth-method", "auth-realm", "auth-response-headers",
    "auth-secret", "auth-secret-type", "auth-signin", "auth-tls-pass-certificate-to-upstream", "auth-tls-secret",
    "auth-tls-verify-client", "auth-type", "auth-url", "backend-protocol", "canary", "canary-by-cookie",
    "canary-by-header", "canary-by-header-pattern", "canary-by-header-value", "canary-weight", "canary-weight-total",
    "client-body-buffer-size", "cors-allow-credentials", "cors-allow-headers", "cors-allow-methods",
    "cors-allow-origin", "cors-expose-headers", "cors-max-age", "custom-http-errors", "default-backend",
    "enable-cors", "enable-global-auth", "force-ssl-redirect", "from-to-www-redirect", "limit-burst-multiplier",
    "limit-connections", "limit-rpm", "limit-rps", "permanent-redirect", "permanent-redirect-code",
    "proxy-body-size", "proxy-buffer-size", "proxy-buffering", "proxy-buffers-number", "proxy-connect-timeout",
    "proxy-http-version", "proxy-max-temp-file-size", "proxy-next-upstream", "proxy-next-upstream-timeout",
    "proxy-next-upstream-tries", "proxy-read-timeout", "proxy-request-buffering", "proxy-send-timeout",
    "proxy-ssl-name", "proxy-ssl-secret", "proxy-ssl-server-name", "proxy-ssl-verify", "rewrite-target",
    "server-alias", "service-upstream", "session-cookie-domain", "session-cookie-expires", "session-cookie-max-age",
    "session-cookie-name", "session-cookie-path", "session-cookie-samesite", "session-cookie-secure", "ssl-passthrough",
    "ssl-redirect", "temporal-redirect", "temporal-redirect-code", "upstream-hash-by", "upstream-vhost", "use-regex",
    "whitelist-source-range", "x-forwarded-prefix",
];

/// Annotations that Traefik reads and that have no effect as kinstall runs it.
#[cfg(test)]
const READ_WITHOUT_EFFECT: &[&str] = &[
    "affinity-canary-behavior",
    "enable-access-log",
    "enable-modsecurity",
    "enable-owasp-core-rules",
    "modsecurity-snippet",
    "modsecurity-transaction-id",
];

/// Annotations that keep an Ingress from being served, and why.
const REFUSED: &[(&str, &str)] = &[
    ("auth-snippet", SNIPPETS),
    ("configuration-snippet", SNIPPETS),
    ("server-snippet", SNIPPETS),
    ("custom-headers", "no response header is allowed"),
];

const SNIPPETS: &str = "pieces of nginx's configuration are not allowed";

/// An annotation that does something else than in ingress-nginx.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// `namespace/name` of the Ingress.
    pub ingress: String,
    pub annotation: String,
    /// Why the Ingress isn't served because of it; without it, the annotation has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<&'static str>,
}

impl Notice {
    /// Returns the notice as a sentence.
    pub fn message(&self) -> String {
        let Self {
            ingress,
            annotation,
            refused,
        } = self;
        match refused {
            None => format!("Ingress {ingress}: {annotation} has no effect"),
            Some(reason) => {
                format!("Ingress {ingress} is not served because of {annotation}: {reason}")
            }
        }
    }
}

/// Returns the annotations without their effect of a list of Ingress objects (as the API returns it).
pub fn without_effect(list: &Value) -> Vec<Notice> {
    let items = list["items"].as_array().into_iter().flatten();
    items
        .filter(|item| item["kind"] == "Ingress")
        .flat_map(of_ingress)
        .collect()
}

fn of_ingress(ingress: &Value) -> Vec<Notice> {
    let metadata = &ingress["metadata"];
    let text = |key: &str| metadata[key].as_str().unwrap_or_default();
    let name = format!("{}/{}", text("namespace"), text("name"));
    let annotations = metadata["annotations"].as_object().into_iter().flatten();
    annotations
        .filter_map(|(annotation, value)| {
            let short = annotation.strip_prefix(PREFIX)?;
            let refused = REFUSED.iter().find(|(known, _)| *known == short);
            let refused = match refused {
                Some((_, reason)) => Some(*reason),
                None if short == "auth-type" && value == "digest" => {
                    Some("only `basic` is supported")
                }
                None if WITH_EFFECT.contains(&short) => return None,
                None => None,
            };
            Some(Notice {
                ingress: name.clone(),
                annotation: annotation.clone(),
                refused,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use serde_json::json;

    use super::{Notice, PREFIX, READ_WITHOUT_EFFECT, REFUSED, WITH_EFFECT, without_effect};

    #[test]
    #[ignore = "needs KINSTALL_TEST_PROGRAMS"]
    fn the_annotations_are_those_that_traefik_reads() {
        let folder = PathBuf::from(std::env::var("KINSTALL_TEST_PROGRAMS").unwrap());
        let program = std::fs::read(folder.join("traefik/traefik")).unwrap();
        let program = String::from_utf8_lossy(&program);
        // The tags of the fields that it reads them into.
        let tag = format!("annotation:\"{PREFIX}");
        let read: BTreeSet<&str> = (program.split(&tag).skip(1))
            .filter_map(|rest| Some(rest.split_once('"')?.0))
            .collect();
        let refused = REFUSED.iter().map(|(name, _)| name);
        let known = WITH_EFFECT.iter().chain(READ_WITHOUT_EFFECT).chain(refused);
        assert_eq!(read, known.copied().collect());
    }

    #[test]
    fn annotations_without_effect_and_those_that_nothing_is_served_for_are_named() {
        let list = json!({ "items": [
            { "kind": "Ingress", "metadata": { "namespace": "shop", "name": "web", "annotations": {
                "nginx.ingress.kubernetes.io/rewrite-target": "/",
                "nginx.ingress.kubernetes.io/auth-type": "basic",
                "nginx.ingress.kubernetes.io/denylist-source-range": "192.0.2.0/24",
                "nginx.ingress.kubernetes.io/enable-modsecurity": "true",
                "nginx.ingress.kubernetes.io/server-snippet": "x",
                "cert-manager.io/issuer": "y",
            } } },
            { "kind": "Ingress", "metadata": { "namespace": "shop", "name": "login", "annotations": {
                "nginx.ingress.kubernetes.io/auth-type": "digest" } } },
            { "kind": "Service", "metadata": { "annotations": {
                "nginx.ingress.kubernetes.io/server-snippet": "x" } } },
        ] });
        let notices = without_effect(&list);
        let messages: Vec<_> = notices.iter().map(Notice::message).collect();
        insta::assert_snapshot!(messages.join("\n"), @r"
        Ingress shop/web: nginx.ingress.kubernetes.io/denylist-source-range has no effect
        Ingress shop/web: nginx.ingress.kubernetes.io/enable-modsecurity has no effect
        Ingress shop/web is not served because of nginx.ingress.kubernetes.io/server-snippet: pieces of nginx's configuration are not allowed
        Ingress shop/login is not served because of nginx.ingress.kubernetes.io/auth-type: only `basic` is supported
        ");
    }
}
