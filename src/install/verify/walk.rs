//! Walks through checks, one after the other; looks for the causes of what fails.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use super::access::{Cluster, seconds};
use super::steps::{self, Findings};
use super::{Progress, Report, hosts};
use crate::diagnostic::Diagnostics;
use crate::verify::{Check, CheckReport, Evidence, Need, Outcome, Pairs, Verification, causes};

/// Runs all checks that the cluster has what they need for.
pub(super) async fn walk(
    cluster: &Cluster<'_>,
    checks: &[Check],
    lacks: &[Need],
    values: BTreeMap<String, String>,
    report: Report<'_>,
) -> Result<Verification, Diagnostics> {
    let mut verification = Verification::default();
    let mut findings = Findings {
        values,
        pairs: Pairs::default(),
    };
    let mut broken: Option<&str> = None;
    for check in checks {
        let missing = check.needs.iter().find(|need| lacks.contains(need));
        let skipped = match (broken, missing) {
            (Some(name), _) => Some(format!("nothing works without what failed: {name}")),
            (None, Some(need)) => Some(need.missing()),
            (None, None) => None,
        };
        let begun = Instant::now();
        let mut steps = Vec::new();
        let outcome = if let Some(reason) = skipped {
            Outcome::Skipped { reason }
        } else {
            report(Progress::Started(check));
            match take_all(cluster, check, &mut findings, &mut steps, report).await? {
                None => Outcome::Passed,
                Some(problem) => {
                    let evidence = gather(cluster, &findings).await;
                    let causes = causes::find(&evidence, &check.needs);
                    Outcome::Failed { problem, causes }
                }
            }
        };
        if check.foundation && matches!(outcome, Outcome::Failed { .. }) {
            broken = Some(&check.name);
        }
        let ended = CheckReport {
            name: check.name.clone(),
            chapter: check.chapter.clone(),
            outcome,
            seconds: seconds(begun),
            steps,
        };
        report(Progress::Ended(&ended));
        verification.add(ended);
    }
    Ok(verification)
}

/// Takes the steps until one fails; returns what was wrong with it.
async fn take_all(
    cluster: &Cluster<'_>,
    check: &Check,
    findings: &mut Findings,
    taken: &mut Vec<crate::verify::StepReport>,
    report: Report<'_>,
) -> Result<Option<String>, Diagnostics> {
    for step in &check.steps {
        let (step, problem) = steps::take(cluster, step, findings).await?;
        report(Progress::Step(&step));
        taken.push(step);
        if problem.is_some() {
            return Ok(problem);
        }
    }
    Ok(None)
}

/// Brings together what causes are looked for in; what can't be had is empty.
async fn gather(cluster: &Cluster<'_>, findings: &Findings) -> Evidence {
    let has_load_balancer = cluster.project.cluster.addons.metallb.is_some();
    let list = "get nodes,pods,deployments,daemonsets,services --all-namespaces";
    let mut objects = cluster.objects(list).await.unwrap_or_default();
    if has_load_balancer {
        let pools = cluster
            .objects("get ipaddresspools.metallb.io --all-namespaces")
            .await;
        let pools = pools.ok().and_then(|it| it["items"].as_array().cloned());
        if let Some(items) = objects["items"].as_array_mut() {
            items.extend(pools.unwrap_or_default());
        }
    }
    Evidence {
        hosts: hosts::ask_all(cluster.project, cluster.machines).await,
        objects,
        events: cluster
            .objects("get events")
            .await
            .unwrap_or_else(|_| empty()),
        namespace: cluster.namespace.clone(),
        has_load_balancer,
        pairs: findings.pairs.clone(),
    }
}

fn empty() -> Value {
    json!({ "items": [] })
}
