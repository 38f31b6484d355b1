//! Annotations of ingress-nginx that Contour doesn't know, and what replaces them.
//!
//! ingress-nginx is retired; objects written for its class are served by Contour, but its annotations
//! have no effect there. Source of the replacements: Contour's documentation of annotations and of
//! HTTPProxy (release 1.33).

use serde::Serialize;
use serde_json::Value;

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

/// Annotation without its prefix, and what to write instead.
const REPLACEMENTS: &[(&str, &str)] = &[
    ("affinity", "HTTPProxy: loadBalancerPolicy.strategy: Cookie"),
    ("app-root", "HTTPProxy: requestRedirectPolicy.path"),
    (
        "auth-url",
        "HTTPProxy: virtualhost.authorization with an ExtensionService",
    ),
    (
        "backend-protocol",
        "annotation projectcontour.io/upstream-protocol.{h2,h2c,tls} on the Service",
    ),
    ("canary", "HTTPProxy: several services with weights"),
    ("canary-weight", "HTTPProxy: several services with weights"),
    ("cors-allow-origin", "HTTPProxy: virtualhost.corsPolicy"),
    ("enable-cors", "HTTPProxy: virtualhost.corsPolicy"),
    (
        "force-ssl-redirect",
        "annotation ingress.kubernetes.io/force-ssl-redirect",
    ),
    ("limit-rps", "HTTPProxy: rateLimitPolicy.local"),
    ("permanent-redirect", "HTTPProxy: requestRedirectPolicy"),
    (
        "proxy-body-size",
        "nothing: Envoy doesn't limit the size of a body",
    ),
    (
        "proxy-connect-timeout",
        "ContourConfiguration: timeouts.connectTimeout",
    ),
    (
        "proxy-read-timeout",
        "annotation projectcontour.io/response-timeout",
    ),
    (
        "proxy-send-timeout",
        "annotation projectcontour.io/response-timeout",
    ),
    (
        "rewrite-target",
        "HTTPProxy: pathRewritePolicy.replacePrefix",
    ),
    (
        "ssl-redirect",
        "annotation ingress.kubernetes.io/force-ssl-redirect",
    ),
    ("upstream-vhost", "HTTPProxy: requestHeadersPolicy.set Host"),
    ("use-regex", "HTTPProxy: conditions with regex"),
    (
        "websocket-services",
        "annotation projectcontour.io/websocket-routes",
    ),
    ("whitelist-source-range", "HTTPProxy: ipAllowPolicy"),
];

/// An annotation without effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// `namespace/name` of the Ingress.
    pub ingress: String,
    pub annotation: String,
    /// What to write instead.
    pub replacement: &'static str,
}

/// Returns the annotations without effect of a list of Ingress objects (as the API returns it).
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
        .filter_map(|(annotation, _)| {
            let short = annotation.strip_prefix(PREFIX)?;
            let known = REPLACEMENTS.iter().find(|(known, _)| *known == short);
            let replacement = known.map_or("nothing: Contour has no counterpart", |(_, it)| it);
            Some(Notice {
                ingress: name.clone(),
                annotation: annotation.clone(),
                replacement,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::without_effect;

    #[test]
    fn nginx_annotations_are_named_with_their_replacement() {
        let list = json!({ "items": [
            { "kind": "Ingress", "metadata": { "namespace": "shop", "name": "web", "annotations": {
                "nginx.ingress.kubernetes.io/rewrite-target": "/",
                "nginx.ingress.kubernetes.io/server-snippet": "x",
                "cert-manager.io/issuer": "y",
            } } },
            { "kind": "Service", "metadata": { "annotations": {
                "nginx.ingress.kubernetes.io/rewrite-target": "/" } } },
        ] });
        let notices: Vec<_> = without_effect(&list)
            .into_iter()
            .map(|notice| {
                format!(
                    "{} {} {}",
                    notice.ingress, notice.annotation, notice.replacement
                )
            })
            .collect();
        assert_eq!(
            notices,
            [
                "shop/web nginx.ingress.kubernetes.io/rewrite-target HTTPProxy: pathRewritePolicy.replacePrefix",
                "shop/web nginx.ingress.kubernetes.io/server-snippet nothing: Contour has no counterpart",
            ]
        );
    }
}
