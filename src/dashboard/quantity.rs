//! Kubernetes' quantities: `250m`, `1536Mi`, `1e3`.

use serde_json::Value;

/// Longer suffixes first: `Mi` ends with no `M`, but `m` and `M` differ.
const SUFFIXES: [(&str, f64); 15] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

/// Reads a quantity; 0 where it isn't there, as Kubernetes counts a request that nobody made.
pub(super) fn of(value: &Value) -> f64 {
    let text = value.as_str().unwrap_or_default();
    let suffix = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)));
    let number = match suffix {
        Some((number, factor)) => number.parse().map(|number: f64| number * factor),
        None => text.parse(),
    };
    number.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of;

    #[test]
    fn quantities_are_read_with_their_suffixes() {
        let read = |text: &str| of(&json!(text)).to_string();
        let texts = ["250m", "2", "1536Mi", "129e6", "1k", "12345678n", "0.5"];
        let numbers: Vec<String> = texts.into_iter().map(read).collect();
        insta::assert_snapshot!(
            numbers.join(" "),
            @"0.25 2 1610612736 129000000 1000 0.012345678 0.5"
        );
        assert!(of(&json!(null)).abs() < f64::EPSILON);
    }
}
