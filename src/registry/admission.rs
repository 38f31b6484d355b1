//! What a registry wants to see with each request: a login, or a token that a login gets.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use serde::Deserialize;
use ureq::http::Method;

use super::client::{Content, Registry};
use super::error::RegistryError;
use crate::secret::Secret;

/// What the registry wants to see with each request.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    pub(super) header: Secret,
    /// Of a token; it is got again from here.
    challenge: Option<Challenge>,
    ends: Option<Instant>,
}

/// Where tokens are got from, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Challenge {
    realm: String,
    /// `service` and `scope`.
    parameters: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(alias = "access_token")]
    token: Secret,
    /// In seconds; the specification's own default.
    #[serde(default = "sixty")]
    expires_in: u64,
}

impl Registry {
    /// Returns what to show, as far as it is known; a token that ends is got anew.
    pub(super) fn authorization(&self) -> Result<Option<Secret>, RegistryError> {
        let mut admission = self
            .admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let ended = |it: &Admission| it.ends.is_some_and(|ends| ends <= Instant::now());
        if let Some(Admission {
            challenge: Some(challenge),
            ..
        }) = admission.clone().filter(ended)
        {
            *admission = Some(self.token(challenge)?);
        }
        Ok(admission.as_ref().map(|it| it.header.clone()))
    }

    /// Gets what a registry wants, by the header that it answered with.
    pub(super) fn admitted(&self, wanted: &str) -> Result<Admission, RegistryError> {
        if let Some(challenge) = Challenge::read(wanted) {
            return self.token(challenge);
        }
        let login = self.login.as_ref().ok_or_else(|| self.refused())?;
        Ok(Admission {
            header: Secret::new(format!("Basic {}", login.expose())),
            challenge: None,
            ends: None,
        })
    }

    fn token(&self, challenge: Challenge) -> Result<Admission, RegistryError> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&challenge.parameters);
        let separator = if challenge.realm.contains('?') {
            '&'
        } else {
            '?'
        };
        let url = format!("{}{separator}{}", challenge.realm, query.finish());
        if self.origin.starts_with("https:") && !url.starts_with("https:") {
            return Err(self.strange("it wants logins where there is no TLS"));
        }
        let login = self.login.as_ref();
        let login = login.map(|it| Secret::new(format!("Basic {}", it.expose())));
        let mut response =
            self.attempt(&Method::GET, &url, &[], Content::Nothing, login.as_ref())?;
        if !response.status().is_success() {
            return Err(self.refused());
        }
        let text = response.body_mut().read_to_string();
        let text = Secret::new(text.map_err(|error| self.unreachable(error))?);
        let token: Token = serde_json::from_str(text.expose())
            .map_err(|_| self.strange("no token in its answer"))?;
        // Downloads look at it only when they begin.
        let life = Duration::from_secs(token.expires_in.saturating_sub(30));
        Ok(Admission {
            header: Secret::new(format!("Bearer {}", token.token.expose())),
            challenge: Some(challenge),
            ends: Some(Instant::now() + life),
        })
    }
}

impl Challenge {
    /// Reads `Bearer realm="https://…",service="…",scope="…"`.
    fn read(header: &str) -> Option<Self> {
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
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;
    use crate::registry::{Access, Reference};

    /// Gives one answer after the other; returns the first lines of the requests and their logins.
    fn serve(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let origin = format!("http://{address}");
        let served = thread::spawn(move || {
            let mut seen = Vec::new();
            for answer in answers {
                let (mut connection, _) = listener.accept().unwrap();
                let lines = BufReader::new(connection.try_clone().unwrap()).lines();
                let lines = lines.map(Result::unwrap).take_while(|it| !it.is_empty());
                let wanted = |it: &String| it.starts_with("GET") || it.starts_with("authorization");
                seen.push(lines.filter(wanted).collect::<Vec<_>>().join(", "));
                let answer = answer.replace("ORIGIN", &origin);
                connection.write_all(answer.as_bytes()).unwrap();
            }
            seen
        });
        (address, served)
    }

    fn answer(status: &str, body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
    }

    fn registry(address: &str, login: Option<&str>) -> Registry {
        let reference: Reference = format!("oci://{address}/a/b:1").parse().unwrap();
        let mut registry = Registry::open(reference, &Access::default()).unwrap();
        registry.login = login.map(Secret::new);
        registry
    }

    #[test]
    fn a_token_is_got_with_the_login_and_shown_from_then_on() {
        let wants = "401 Who\r\nWWW-Authenticate: Bearer realm=\"ORIGIN/token\",service=\"r\",scope=\"repository:a/b:pull\"";
        let (address, served) = serve(vec![
            answer(wants, ""),
            answer("200 OK", r#"{"token": "T1", "expires_in": 30}"#),
            answer("200 OK", "first"),
            answer("200 OK", r#"{"access_token": "T2", "expires_in": 300}"#),
            answer("200 OK", "second"),
            answer("200 OK", "third"),
        ]);
        let registry = registry(&address, Some("dTpw"));
        let read: Vec<_> = (0..3).map(|_| registry.manifest().unwrap()).collect();
        assert_eq!(read, [&b"first"[..], b"second", b"third"]);
        let token = "GET /token?service=r&scope=repository%3Aa%2Fb%3Apull HTTP/1.1, authorization: Basic dTpw";
        let manifest = "GET /v2/a/b/manifests/1 HTTP/1.1";
        assert_eq!(
            served.join().unwrap(),
            [
                manifest,
                token,
                &format!("{manifest}, authorization: Bearer T1"),
                // The first one has ended.
                token,
                &format!("{manifest}, authorization: Bearer T2"),
                &format!("{manifest}, authorization: Bearer T2"),
            ]
        );
    }

    #[test]
    fn a_login_is_shown_where_it_is_wanted_and_missed_where_there_is_none() {
        let wants = answer("401 Who\r\nWWW-Authenticate: Basic realm=\"r\"", "");
        let (address, served) = serve(vec![wants.clone(), answer("200 OK", "it"), wants.clone()]);
        assert_eq!(registry(&address, Some("dTpw")).manifest().unwrap(), b"it");
        let error = registry(&address, None).manifest().unwrap_err().to_string();
        assert_eq!(error, format!("`{address}` wants a login"));
        let seen = served.join().unwrap();
        assert!(seen[1].ends_with("authorization: Basic dTpw"), "{seen:?}");
    }

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
