//! VictoriaMetrics and VictoriaLogs: measurements of an hour, and a line that a pod printed.

use serde_json::Value;

use super::kinstall::{Kinstall, eventually};

const METRICS: &str = "/api/v1/namespaces/victoria-metrics/services/victoria-metrics:8428/proxy";
const LOGS: &str = "/api/v1/namespaces/victoria-logs/services/victoria-logs:9428/proxy";

/// A pod that prints one line.
const SPEAKER: &str = "\
apiVersion: v1
kind: Pod
metadata: { name: speaker }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - { name: speaker, image: 'kinstall.local/nettool:v1.37.2', command: [sh, -c, 'echo the-line-to-find; sleep 3600'] }
";

/// `verify` has a check for each, and runs after this.
pub fn shows_an_hour_and_finds_a_line(lab: &Kinstall) {
    lab.apply(SPEAKER);
    all_targets_answer(lab);
    an_hour_is_shown(lab);
    rules_can_be_evaluated(lab);
    dashboards_show_something(lab);
    eventually("the line that the pod printed is found", 90, || {
        let found = get(
            lab,
            &format!("{LOGS}/select/logsql/query?query=_time:1h%20the-line-to-find"),
        );
        found.contains("\"kubernetes.pod_name\":\"speaker\"")
    });
    lab.kubectl(&["delete", "pod", "speaker"]);
}

/// All that they brought goes.
pub fn is_gone(lab: &Kinstall) {
    let namespaces = lab.objects(&["get", "namespaces"]).to_string();
    assert!(!namespaces.contains("victoria"), "{namespaces}");
    let roles = lab
        .objects(&["get", "clusterroles,clusterrolebindings"])
        .to_string();
    assert!(!roles.contains("victoria") && !roles.contains("vlagent"));
    eventually("their volumes are gone", 60, || {
        let volumes = lab.objects(&["get", "persistentvolumes"]).to_string();
        !volumes.contains("victoria")
    });
}

fn all_targets_answer(lab: &Kinstall) {
    eventually("kubelets and exporters of all nodes answer", 120, || {
        let result = query(lab, "query?query=up==1");
        let count = |job: &str| {
            result
                .iter()
                .filter(|it| it["metric"]["job"] == job)
                .count()
        };
        count("kubelet") == 4
            && count("cadvisor") == 4
            && count("node-exporter") == 4
            && count("api-server") == 1
    });
}

/// What was measured an hour ago is written, as none of it is that old.
fn an_hour_is_shown(lab: &Kinstall) {
    let script = format!(
        "now=$(date +%s); for minute in $(seq 0 60); do echo \"measured_for_an_hour $minute $((now - 60 * minute))000\"; done \
         | sudo kubectl create --raw '{METRICS}/api/v1/import/prometheus' -f - >/dev/null"
    );
    lab.ok(&["ssh", "controll-plane", "--", &script]);
    eventually("an hour of measurements is there", 60, || {
        let result = query(
            lab,
            "query?query=count_over_time(measured_for_an_hour[65m])",
        );
        result.first().is_some_and(|it| it["value"][1] == "61")
    });
}

fn rules_can_be_evaluated(lab: &Kinstall) {
    eventually("all rules were evaluated", 90, || {
        let rules: Value =
            serde_json::from_str(&get(lab, &format!("{METRICS}/api/v1/rules"))).unwrap_or_default();
        let groups = rules["data"]["groups"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let mut rules = groups
            .iter()
            .flat_map(|it| it["rules"].as_array().into_iter().flatten());
        groups.len() == 3
            && rules
                .all(|it| it["health"] == "ok" && it["lastEvaluation"] != "0001-01-01T00:00:00Z")
    });
}

/// Every expression of every dashboard has a result.
fn dashboards_show_something(lab: &Kinstall) {
    let text = get(lab, &format!("{METRICS}/vmui/custom-dashboards"));
    let dashboards: Value = serde_json::from_str(&text).unwrap();
    let dashboards = dashboards["dashboardsSettings"].as_array().unwrap();
    assert_eq!(dashboards.len(), 3, "{text}");
    let panels = dashboards
        .iter()
        .flat_map(|it| it["rows"].as_array().unwrap())
        .flat_map(|it| it["panels"].as_array().unwrap());
    for panel in panels {
        for expression in panel["expr"].as_array().unwrap() {
            let expression = expression.as_str().unwrap().replace("$__interval", "2m");
            let encoded = url_encoded(&expression);
            eventually(&format!("`{expression}` has a result"), 90, || {
                !query(lab, &format!("query?query={encoded}")).is_empty()
            });
        }
    }
}

fn query(lab: &Kinstall, path: &str) -> Vec<Value> {
    let text = get(lab, &format!("{METRICS}/api/v1/{path}"));
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    answer["data"]["result"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn get(lab: &Kinstall, path: &str) -> String {
    let command = format!("sudo kubectl get --raw '{path}'");
    lab.run(&["ssh", "controll-plane", "--", &command]).stdout()
}

fn url_encoded(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}
