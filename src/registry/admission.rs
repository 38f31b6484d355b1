//! What a registry wants to see with each request: a login, or a token that a login gets.

use std::time::Instant;

use serde::Deserialize;

use crate::secret::Secret;

/// What the registry wants to see with each request.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    pub(super) header: Secret,
    /// Of a token; it is got again from here.
    pub(super) challenge: Option<Challenge>,
    pub(super) ends: Option<Instant>,
}

/// Where tokens are got from, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) realm: String,
    /// `service` and `scope`.
    pub(super) parameters: Vec<(String, String)>,
}

#[derive(Deserialize)]
pub(super) struct Granted {
    token: Option<Secret>,
    /// The same by its other name; many give both.
    access_token: Option<Secret>,
    /// In seconds; the specification's own default.
    #[serde(default = "sixty")]
    pub(super) expires_in: u64,
}

impl Granted {
    pub(super) fn token(&self) -> Option<&Secret> {
        let both = [&self.token, &self.access_token].into_iter().flatten();
        both.into_iter().find(|it| !it.expose().is_empty())
    }
}

impl Challenge {
    /// Reads `Bearer realm="https://…",service="…",scope="…"`.
    pub(super) fn read(header: &str) -> Option<Self> {
        let mut rest = header.strip_prefix("Bearer ")?;
        let (mut realm, mut parameters) = (None, Vec::new());
        while let Some((name, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"')?;
            match name.trim_start_matches([',', ' ']) {
                "realm" => realm = Some(value.to_owned()),
                name @ ("service" | "scope") => {
                    parameters.push((name.to_owned(), value.to_owned()));
                }
                _ => {}
            }
            rest = after;
        }
        Some(Self {
            realm: realm?,
            parameters,
        })
    }
}

fn sixty() -> u64 {
    60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_says_where_a_token_is_got_and_for_what() {
        let header = r#"Bearer realm="https://auth.example.com/token",service="r.example.com",scope="repository:a/b:pull,push",error="x""#;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            Challenge::read(header),
            Some(Challenge {
                realm: "https://auth.example.com/token".to_owned(),
                parameters: vec![
                    pair("service", "r.example.com"),
                    pair("scope", "repository:a/b:pull,push")
                ],
            })
        );
        for other in [
            "Basic realm=\"r\"",
            "",
            "Bearer",
            "Bearer service=\"x\"",
            "Bearer realm=\"x",
        ] {
            assert_eq!(Challenge::read(other), None, "{other}");
        }
    }
}
