//! The user's manifests must not change what kinstall installs.

use super::stages::Placed;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::manifest::UserObject;
use crate::resource::{Manifest, ObjectName, Owner, Resource};

/// What kubeadm makes for itself, in `v1`: namespace and name of each ConfigMap.
const OF_KUBEADM: [(&str, &str); 3] = [
    ("kube-public", "cluster-info"),
    ("kube-system", "kubeadm-config"),
    ("kube-system", "kubelet-config"),
];
/// Where kinstall keeps which objects of the user's it made.
const RECORD: (&str, &str) = ("kube-system", "kinstall-manifests");

/// Reports objects of the user's that are kinstall's as well.
pub(super) fn refuse<'a>(
    objects: &[UserObject],
    placed: impl Iterator<Item = &'a Placed<'a>>,
    errors: &mut Diagnostics,
) {
    if objects.is_empty() {
        return;
    }
    let mut own: Vec<(String, ObjectName)> = Vec::new();
    for expanded in placed.flat_map(|it| &it.steps) {
        if let Resource::Manifests(set) = &expanded.step.resource
            && set.owner == Owner::Kinstall
        {
            let component = set.name.split('/').next().unwrap_or_default();
            let names = set.objects.iter().filter_map(Manifest::name);
            own.extend(names.map(|name| (component.to_owned(), name)));
        }
    }
    let maps = OF_KUBEADM.map(|it| ("kubeadm", it));
    for (component, (namespace, name)) in maps.into_iter().chain([("kinstall", RECORD)]) {
        let name = ObjectName {
            api_version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        };
        own.push((component.to_owned(), name));
    }
    for object in objects {
        let mut own = own.iter();
        if let Some((component, name)) = own.find(|(_, name)| name.is_same(&object.name)) {
            let message = format!("{} is one of kinstall's own objects", name.title());
            errors.push(
                Diagnostic::error(Kind::Inventory, message)
                    .at(object.location.clone(), "this object")
                    .hint(format!(
                        "`{component}` installs it: remove it from the manifests, or give it another name"
                    )),
            );
        }
    }
}
