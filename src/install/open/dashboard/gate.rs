//! Which requests are answered.

use hyper::header::{COOKIE, HOST, HeaderMap, HeaderName};
use hyper::{Method, Request};

use super::token::Token;
use super::wanted::{Refusal, Wanted, parameter};

/// A request that is answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Admitted {
    pub(super) wanted: Wanted,
    /// What the browser is to send from now on.
    pub(super) set_cookie: Option<String>,
}

/// Decides about a request to the page at a port.
pub(super) fn admit<Body>(
    request: &Request<Body>,
    port: u16,
    token: &Token,
) -> Result<Admitted, Refusal> {
    let headers = request.headers();
    let host = text(headers, &HOST);
    // A name that somebody else's DNS leads to this computer is none of ours.
    if host != format!("127.0.0.1:{port}") && host != format!("localhost:{port}") {
        return Err(Refusal::Host);
    }
    let path = request.uri().path();
    let query = request.uri().query().unwrap_or_default();
    let mut set_cookie = None;
    if !token.is_in(text(headers, &COOKIE)) || !is_from_the_page(headers, path) {
        let opens = path == "/" && request.method() == Method::GET;
        let entry = parameter(query, "token").filter(|_| opens);
        set_cookie = entry.and_then(|it| token.exchange(&it));
        if set_cookie.is_none() {
            return Err(Refusal::Token);
        }
    }
    if request.method() != Method::GET {
        return Err(Refusal::Method);
    }
    let wanted = Wanted::of(path, query)?;
    Ok(Admitted { wanted, set_cookie })
}

/// Browsers say which site a request comes from. A page at another port counts as the same site, and gets our cookie sent,
/// but has another origin.
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
            Ok(admitted) => format!("{:?}", admitted.wanted),
            Err(refusal) => format!("{refusal:?}"),
        }
    }

    /// A token whose browser is in, and the cookie that it sends.
    fn entered() -> (Token, String) {
        let token = Token::new(8000).unwrap();
        let cookie = token.exchange(token.entry()).unwrap();
        (token, cookie.split(';').next().unwrap().to_owned())
    }

    #[test]
    fn nothing_is_told_to_whoever_has_not_got_in() {
        let token = Token::new(8000).unwrap();
        for path in ["/", "/script.js", "/api/nodes", "/elsewhere", "/?token=x"] {
            assert_eq!(asked(&token, "GET", path, &[]), "Token", "{path}");
        }
        assert_eq!(asked(&token, "POST", "/api/nodes", &[]), "Token");
        let entry = format!("/api/nodes?token={}", token.entry());
        assert_eq!(asked(&token, "GET", &entry, &[]), "Token", "not the page");
        let entry = format!("/?token={}", token.entry());
        assert_eq!(asked(&token, "POST", &entry, &[]), "Token");
        assert_eq!(asked(&token, "GET", &entry, &[]), "Page");
        assert_eq!(asked(&token, "GET", &entry, &[]), "Token", "again");
    }

    #[test]
    fn only_this_computers_own_names_lead_here() {
        let (token, cookie) = entered();
        let asked = |host: &str| {
            let headers = [("host", host), ("cookie", &cookie)];
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
            assert_eq!(asked(host), "Host", "{host}");
        }
    }

    #[test]
    fn pages_at_other_ports_get_nothing() {
        let (token, cookie) = entered();
        let asked = |path: &str, site: &str| {
            let headers = [("sec-fetch-site", site), ("cookie", &cookie)];
            asked(&token, "GET", path, &headers)
        };
        assert_eq!(asked("/api/nodes", "same-origin"), "Nodes");
        assert_eq!(asked("/api/nodes", "same-site"), "Token");
        assert_eq!(asked("/script.js", "cross-site"), "Token");
        assert_eq!(asked("/", "cross-site"), "Page", "a link leads here");
    }

    #[test]
    fn it_only_reads_and_only_what_is_listed() {
        let (token, cookie) = entered();
        let asked =
            |method: &str, path: &str| asked(&token, method, path, &[("cookie", cookie.as_str())]);
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
