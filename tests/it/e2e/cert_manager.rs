//! cert-manager: an Ingress that names the ClusterIssuer of the lab's authority gets a certificate.

use super::ingress;
use super::kinstall::Kinstall;

/// A host that the ingress controller's own certificate is not for.
const ISSUED: &str = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: issued
  annotations: { cert-manager.io/cluster-issuer: kinstall }
spec:
  ingressClassName: nginx
  tls: [{ hosts: [issued.example.org], secretName: issued }]
  rules:
    - host: issued.example.org
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: echo, port: { number: 8080 } } } }] }
";

/// One that somebody made without an Ingress.
const OWN: &str = "\
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: own }
spec: { dnsNames: [own.example.org], secretName: own, issuerRef: { kind: ClusterIssuer, name: kinstall } }
";

pub fn issues_for_an_ingress(lab: &Kinstall) {
    lab.apply(ISSUED);
    ingress::is_served_with_a_certificate_of_the_lab(lab, "https://issued.example.org/hostname");
    lab.apply(OWN);
    lab.kubectl(&[
        "wait",
        "--for=condition=Ready",
        "certificate/own",
        "--timeout=60s",
    ]);
    let without_names = "{\"spec\":{\"dnsNames\":null}}";
    let patch =
        format!("sudo kubectl patch certificate own --type merge --patch '{without_names}'");
    let refused = lab.run(&["ssh", "controll-plane", "--", &patch]);
    let said = refused.stderr();
    assert!(said.contains("denied the request"), "{said}");
}

/// It goes; what the user made with it stays, and what is served is served still.
pub fn leaves_what_it_made(lab: &Kinstall) {
    let left = lab.kubectl(&["get", "namespaces,clusterroles", "-o", "name"]);
    assert!(!left.contains("cert-manager"), "{left}");
    let kinds = kinds(lab);
    assert!(!kinds.contains("clusterissuers.cert-manager"), "{kinds}");
    lab.kubectl(&["get", "certificate", "own"]);
    ingress::is_served_with_a_certificate_of_the_lab(lab, "https://issued.example.org/hostname");
    lab.kubectl(&["delete", "ingress", "issued"]);
    lab.kubectl(&["delete", "certificates", "--all"]);
    lab.kubectl(&["delete", "secrets", "own", "issued"]);
}

/// The `up` after the last object of its kinds removes the kinds.
pub fn kinds_are_gone(lab: &Kinstall) {
    let kinds = kinds(lab);
    assert!(!kinds.contains("cert-manager"), "{kinds}");
}

fn kinds(lab: &Kinstall) -> String {
    lab.kubectl(&["get", "customresourcedefinitions", "-o", "name"])
}
