//! Objects of the user's own, beside what kinstall installs.

use std::fs;

use super::kinstall::Kinstall;

const SETTINGS: &str = "group_vars/all/manifests.yml";
const SHOP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: { name: prices, namespace: shop }
data: { bread: '3' }
---
apiVersion: v1
kind: Secret
metadata: { name: till, namespace: shop }
stringData: { pin: hunter2 }
---
apiVersion: v1
kind: Namespace
metadata: { name: shop }
";

/// They come, change and go with their files, and every second `up` has nothing to do.
pub fn come_and_go_with_their_files(lab: &Kinstall) {
    // Relative to the file that says it.
    fs::write(lab.path(SETTINGS), "kinstall_manifests: ../../manifests\n").unwrap();
    let missing = lab.run(&["plan"]);
    missing.expect_code(3);
    assert!(missing.stderr().contains("there are no manifests at"));
    fs::create_dir(lab.path("manifests")).unwrap();
    fs::write(lab.path("manifests/shop.yaml"), SHOP).unwrap();
    shows_and_does(lab, &["+ manifests/objects: Secret shop/till"]);

    lab.edit("manifests/shop.yaml", "'3'", "'4'");
    lab.edit("manifests/shop.yaml", "hunter2", "hunter3");
    shows_and_does(lab, &["+  bread: 4", "+  pin: *** (changed)"]);

    fs::remove_file(lab.path(SETTINGS)).unwrap();
    shows_and_does(lab, &["- manifests/objects: Namespace shop"]);
    let left = lab.run(&[
        "ssh",
        "controll-plane",
        "--",
        "sudo",
        "kubectl",
        "get",
        "namespace",
        "shop",
    ]);
    assert!(!left.stderr().is_empty(), "{}", left.stdout());
}

fn shows_and_does(lab: &Kinstall, lines: &[&str]) {
    let plan = lab.run(&["plan"]).expect_code(2);
    for line in lines {
        assert!(plan.contains(line), "{line}: {plan}");
    }
    assert!(!plan.contains("hunter"), "{plan}");
    lab.ok(&["up"]);
    lab.run(&["plan"]).expect_code(0);
}
