//! Warnings about an inventory in short, for commands that do something else than look at it.

use crate::diagnostic::{Concern, Diagnostic};

/// Most lines about single warnings; what goes beyond is counted.
const MOST: usize = 8;

/// Returns a line for each warning that changes what the user gets, and one that counts the others.
pub fn summary(warnings: &[Diagnostic]) -> Vec<String> {
    let (weighty, others): (Vec<&Diagnostic>, Vec<&Diagnostic>) = warnings
        .iter()
        .partition(|it| it.concern <= Concern::Outcome);
    let mut lines: Vec<String> = weighty.iter().take(MOST).map(|it| line(it)).collect();
    let places: usize = others.iter().map(|it| 1 + it.others.len()).sum();
    let mut rest = Vec::new();
    if weighty.len() > MOST {
        rest.push(format!("{} more like these", weighty.len() - MOST));
    }
    if places > 0 {
        let plural = if places == 1 { "" } else { "s" };
        rest.push(format!("{places} variable{plural} without effect"));
    }
    if !rest.is_empty() {
        lines.push(rest.join(", "));
    }
    lines
}

fn line(warning: &Diagnostic) -> String {
    match &warning.label {
        Some((location, _)) => format!(
            "{} ({}:{})",
            warning.message,
            location.path().display(),
            location.line()
        ),
        None => warning.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Location, SourceFile};

    #[test]
    fn what_weighs_is_a_line_each_and_the_rest_is_counted() {
        let file = Arc::new(SourceFile {
            path: "all.yml".into(),
            text: "a: 1\nb: 2\n".to_owned(),
        });
        let place = |start: usize| Location {
            file: Arc::clone(&file),
            span: start..start + 1,
        };
        let mut warnings = vec![
            Diagnostic::warning("no audit log")
                .at(place(5), "")
                .about(Concern::Security),
            Diagnostic::warning("flannel instead of `calico`"),
            Diagnostic::warning("x")
                .about(Concern::NoEffect)
                .also_at([(place(0), "b".to_owned())]),
            Diagnostic::warning("y").about(Concern::Unknown),
        ];
        assert_eq!(
            summary(&warnings),
            [
                "no audit log (all.yml:2)",
                "flannel instead of `calico`",
                "3 variables without effect"
            ]
        );
        warnings.extend((0..9).map(|_| Diagnostic::warning("z")));
        assert_eq!(
            summary(&warnings).last().unwrap(),
            "3 more like these, 3 variables without effect"
        );
        assert_eq!(summary(&[]), Vec::<String>::new());
    }
}
