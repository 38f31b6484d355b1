//! NetworkPolicy objects that no part of the cluster enforces.

use serde_json::Value;

/// Returns `namespace/name` of every NetworkPolicy of a list of objects (as the API returns it); none where cilium, which
/// enforces them, is in the list.
pub fn without_effect(list: &Value) -> Vec<String> {
    let items = || list["items"].as_array().into_iter().flatten();
    let is_cilium =
        |item: &Value| item["kind"] == "DaemonSet" && item["metadata"]["name"] == "cilium";
    if items().any(is_cilium) {
        return Vec::new();
    }
    items()
        .filter(|item| item["kind"] == "NetworkPolicy")
        .map(|item| {
            let part = |name: &str| item["metadata"][name].as_str().unwrap_or_default();
            format!("{}/{}", part("namespace"), part("name"))
        })
        .collect()
}

/// Says it in a line; `None` where there are none.
pub fn notice(policies: &[String]) -> Option<String> {
    let (first, rest) = policies.split_first()?;
    let names = match rest.len() {
        0 => format!("NetworkPolicy {first} has"),
        count => format!("NetworkPolicy {first} and {count} more have"),
    };
    Some(format!("{names} no effect: flannel enforces no policies"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn policies_are_named() {
        let policy = |name: &str| json!({"kind": "NetworkPolicy", "metadata": {"namespace": "shop", "name": name}});
        let list = json!({"items": [{"kind": "Node", "metadata": {"name": "n"}}, policy("deny"), policy("web")]});
        let found = without_effect(&list);
        assert_eq!(found, ["shop/deny", "shop/web"]);
        assert_eq!(
            notice(&found).unwrap(),
            "NetworkPolicy shop/deny and 1 more have no effect: flannel enforces no policies"
        );
        assert_eq!(
            notice(&found[..1]).unwrap(),
            "NetworkPolicy shop/deny has no effect: flannel enforces no policies"
        );
        assert_eq!(notice(&[]), None);
        let cilium = json!({"kind": "DaemonSet", "metadata": {"namespace": "kube-system", "name": "cilium"}});
        let list = json!({"items": [cilium, policy("deny")]});
        assert!(without_effect(&list).is_empty());
    }
}
