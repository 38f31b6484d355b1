//! HTTP requests from outside of the cluster.

use std::net::SocketAddr;
use std::time::Duration;

use super::access::Answer;
use super::ways::Ways;

/// Longest time for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for `http://ADDRESS[:PORT]/PATH`, with another `Host` header if one is given.
pub(super) async fn get(ways: &Ways, url: &str, host: Option<&str>) -> Answer {
    let Some((target, path)) = parse(url) else {
        return failed(format!("`{url}` is no URL with an address"));
    };
    match ways.outside(target).await {
        Ok(address) => get_at(address, path, host).await,
        Err(error) => failed(format!("failed to open a way to {target}: {error}")),
    }
}

/// Asks an address of this computer's.
pub(super) async fn get_at(address: SocketAddr, path: &str, host: Option<&str>) -> Answer {
    let url = format!("http://{address}/{path}");
    let host = host.map(str::to_owned);
    let asked = tokio::task::spawn_blocking(move || {
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let mut request = agent.get(&url);
        if let Some(host) = host {
            request = request.header("Host", host);
        }
        request.call()?.body_mut().read_to_string()
    });
    match asked.await {
        Ok(Ok(stdout)) => Answer {
            succeeded: true,
            stdout,
            stderr: String::new(),
        },
        Ok(Err(error)) => failed(error.to_string()),
        Err(error) => failed(error.to_string()),
    }
}

fn parse(url: &str) -> Option<(SocketAddr, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let with_port = authority.parse().ok();
    let target = with_port.or_else(|| format!("{authority}:80").parse().ok())?;
    Some((target, path))
}

fn failed(stderr: String) -> Answer {
    Answer {
        succeeded: false,
        stdout: String::new(),
        stderr,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_url_without_a_port_means_port_80() {
        let parsed = |url| parse(url).map(|(target, path)| (target.to_string(), path));
        let cases = [
            (
                "http://10.0.0.1/hostname",
                Some(("10.0.0.1:80", "hostname")),
            ),
            ("http://10.0.0.1:8080", Some(("10.0.0.1:8080", ""))),
            ("http://[fd00::1]:80/a/b", Some(("[fd00::1]:80", "a/b"))),
            ("http:///hostname", None),
            ("https://10.0.0.1/", None),
        ];
        for (url, expected) in cases {
            let expected = expected.map(|(target, path): (&str, _)| (target.to_owned(), path));
            assert_eq!(parsed(url), expected, "{url}");
        }
    }
}
