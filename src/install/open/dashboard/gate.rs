//! Which requests are answered.

use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName};
use hyper::{Method, Request};

use super::token::Token;
use super::wanted::{Refusal, Wanted, parameter};
use crate::secret::Secret;

/// A request that is answered.
#[derive(Debug)]
pub(super) struct Admitted<'a> {
    pub(super) wanted: Wanted,
    /// What the page is to send from now on.
    pub(super) key: Option<&'a Secret>,
}

/// Decides about a request to the page at a port.
pub(super) fn admit<'a, Body>(
    request: &Request<Body>,
    port: u16,
    token: &'a Token,
) -> Result<Admitted<'a>, Refusal> {
    let headers = request.headers();
    let host = text(headers, &HOST);
    // A name that somebody else's DNS leads to this computer is none of ours.
    if host != format!("127.0.0.1:{port}") && host != format!("localhost:{port}") {
        return Err(Refusal::Host { port });
    }
    if request.method() != Method::GET {
        return Err(Refusal::Method);
    }
    let path = request.uri().path();
    if !is_from_the_page(headers, path) {
        return Err(Refusal::Token);
    }
    // Views are the lab's; the page and its files are everybody's who has kinstall.
    if path.starts_with("/api/") && !token.is_in(text(headers, &AUTHORIZATION)) {
        return Err(Refusal::Token);
    }
    let query = request.uri().query().unwrap_or_default();
    let wanted = Wanted::of(path, query)?;
    let key = match parameter(query, "token").filter(|_| wanted == Wanted::Page) {
        Some(entry) => Some(token.exchange(&entry).ok_or(Refusal::Token)?),
        None => None,
    };
    Ok(Admitted { wanted, key })
}

/// Browsers say which site a request comes from. A page at another port counts as the same site, but has another origin.
fn is_from_the_page(headers: &HeaderMap, path: &str) -> bool {
    let site = text(headers, &HeaderName::from_static("sec-fetch-site"));
    path == "/" || matches!(site, "" | "same-origin" | "none")
}

/// Returns a header; what isn't text is as good as not there.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    let value = headers.get(name);
    value.and_then(|it| it.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::admit;
    use crate::install::open::dashboard::token::Token;

    /// Asks a page at port 8000 and returns what comes of it.
    fn asked(token: &Token, method: &str, path: &str, headers: &[(&str, &str)]) -> String {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "127.0.0.1:8000");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match admit(&request.body(()).unwrap(), 8000, token) {
            Ok(admitted) => {
                let key = admitted.key.map_or("", |_| " with a key");
                format!("{:?}{key}", admitted.wanted)
            }
            Err(refusal) => format!("{refusal:?}"),
        }
    }

    /// A token whose browser is in, and the header that its page sends.
    fn entered() -> (Token, String) {
        let token = Token::new().unwrap();
        let sent = format!("Bearer {}", token.exchange(token.entry()).unwrap().expose());
        (token, sent)
    }

    #[test]
    fn no_view_is_shown_to_whoever_has_not_got_in() {
        let token = Token::new().unwrap();
        for path in ["/api/nodes", "/api/elsewhere", "/?token=x", "/?token="] {
            assert_eq!(asked(&token, "GET", path, &[]), "Token", "{path}");
        }
        let entry = format!("/api/nodes?token={}", token.entry());
        assert_eq!(asked(&token, "GET", &entry, &[]), "Token", "not the page");
        let entry = format!("/?token={}", token.entry());
        assert_eq!(asked(&token, "POST", &entry, &[]), "Method");
        assert_eq!(asked(&token, "GET", &entry, &[]), "Page with a key");
        assert_eq!(asked(&token, "GET", &entry, &[]), "Token", "again");
    }

    #[test]
    fn the_page_and_its_files_are_there_without_a_key() {
        let token = Token::new().unwrap();
        assert_eq!(asked(&token, "GET", "/", &[]), "Page", "loaded again");
        assert_eq!(asked(&token, "GET", "/script.js", &[]), "Script");
        let entry = format!("/script.js?token={}", token.entry());
        assert_eq!(asked(&token, "GET", &entry, &[]), "Script", "no key");
    }

    #[test]
    fn only_this_computers_own_names_lead_here() {
        let (token, sent) = entered();
        let asked = |host: &str| {
            let headers = [("host", host), ("authorization", &sent)];
            asked(&token, "GET", "/api/nodes", &headers)
        };
        assert_eq!(asked("127.0.0.1:8000"), "Nodes");
        assert_eq!(asked("localhost:8000"), "Nodes");
        for host in [
            "",
            "rebound.example.com:8000",
            "127.0.0.1",
            "127.0.0.1:8001",
        ] {
            assert_eq!(asked(host), "Host { port: 8000 }", "{host}");
        }
    }

    #[test]
    fn pages_at_other_ports_get_nothing() {
        let (token, sent) = entered();
        let asked = |path: &str, site: &str| {
            let headers = [("sec-fetch-site", site), ("authorization", &sent)];
            asked(&token, "GET", path, &headers)
        };
        assert_eq!(asked("/api/nodes", "same-origin"), "Nodes");
        assert_eq!(asked("/api/nodes", "same-site"), "Token");
        assert_eq!(asked("/script.js", "cross-site"), "Token");
        assert_eq!(asked("/", "cross-site"), "Page", "a link leads here");
    }

    #[test]
    fn it_only_reads_and_only_what_is_listed() {
        let (token, sent) = entered();
        let headers = [("authorization", sent.as_str())];
        let asked = |method: &str, path: &str| asked(&token, method, path, &headers);
        for method in ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            assert_eq!(asked(method, "/api/nodes"), "Method");
        }
        for path in [
            "/api/",
            "/api/secrets",
            "/api/v1/nodes",
            "//api/nodes",
            "/api/nodes/",
        ] {
            assert_eq!(asked("GET", path), "Path", "{path}");
        }
        assert_eq!(asked("GET", "/api/history?query=up"), "History");
    }
}
