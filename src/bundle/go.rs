//! Builds programs with the ordinary Go client.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::build_error::BuildError;
use super::catalog::{Component, Files, GoSource};
use super::compiled::Compiled;
use super::process::Process;
use super::progress::{Progress, Report};
use super::sources::SourceTree;

/// Settings of the user's that decide where modules come from and where Go keeps things. All others
/// are left out, so that they can't change what is built.
const KEPT_SETTINGS: [&str; 9] = [
    "GOCACHE",
    "GOINSECURE",
    "GOMODCACHE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOPATH",
    "GOPRIVATE",
    "GOPROXY",
    "GOSUMDB",
];

/// The Go of this computer.
#[derive(Debug)]
pub(super) struct Go {
    program: PathBuf,
    /// As Go says it: `go1.26.8`.
    pub(super) version: String,
    settings: BTreeMap<String, String>,
}

impl Go {
    /// Finds Go and asks for its settings.
    pub(super) fn find() -> Result<Self, BuildError> {
        let program = which::which("go").map_err(|_| BuildError::NoTool {
            tool: "go",
            part: "the bundle".into(),
            hint:
                "install Go, the version that components/kubernetes/go.mod names or a newer one, \
                   and put its bin folder into PATH"
                    .into(),
        })?;
        let mut command = Command::new(&program);
        command
            .args(["env", "-json", "GOVERSION"])
            .args(KEPT_SETTINGS);
        let mut settings: BTreeMap<String, String> = answer(command, "go")?;
        let proxy = settings.entry("GOPROXY".into()).or_default();
        *proxy = without_direct(proxy)?;
        let version = settings.remove("GOVERSION").unwrap_or_default();
        Ok(Self {
            program,
            version,
            settings,
        })
    }

    /// Builds all programs of a component into `output`.
    pub(super) fn build(
        &self,
        part: &str,
        component: &Component,
        source: &GoSource,
        folder: &Path,
        output: &Path,
        report: &Report<'_>,
    ) -> Result<(), BuildError> {
        let ldflags: Vec<String> = (source.ldflags.iter())
            .map(|flag| Component::fill_in(&component.version, flag))
            .collect();
        let compiled = Compiled::new(part, self.count_packages(source, folder), report);
        let report = &|progress: Progress<'_>| compiled.tell(progress);
        for program in &source.programs {
            let mut command = self.command(folder);
            command
                .args([
                    "build",
                    "-v",
                    "-trimpath",
                    "-buildvcs=false",
                    "-mod=readonly",
                ])
                .arg(format!("-tags={}", source.tags.join(",")))
                .arg(format!("-ldflags={}", ldflags.join(" ")))
                .arg("-o")
                .arg(output.join(&program.output))
                .arg(&program.package)
                .env("CGO_ENABLED", if source.cgo { "1" } else { "0" });
            let process = Process {
                part,
                command,
                hint: &|lines| hint(lines, &source.debian_packages),
            };
            process.run(report)?;
        }
        Ok(())
    }

    /// Copies the modules that the component's go.mod replaces by copies in its folder.
    pub(super) fn copy_modules(&self, source: &GoSource, folder: &Path) -> Result<(), BuildError> {
        for copy in &source.copies {
            let module = self.module(folder, &copy.module)?;
            if module.sum != copy.sum {
                return Err(BuildError::OtherModule {
                    module: copy.module.clone(),
                    sum: module.sum,
                });
            }
            copy.make(&module.directory, folder)?;
        }
        Ok(())
    }

    /// Counts the packages of all programs; `None` where Go can't tell, which the build will explain.
    fn count_packages(&self, source: &GoSource, folder: &Path) -> Option<usize> {
        let mut command = self.command(folder);
        command
            .args(["list", "-deps", "-mod=readonly"])
            .arg(format!("-tags={}", source.tags.join(",")))
            .args(source.programs.iter().map(|program| &program.package))
            .env("CGO_ENABLED", if source.cgo { "1" } else { "0" });
        let output = command.output().ok()?;
        let packages = output.stdout.split(|byte| *byte == b'\n');
        let count = packages.filter(|line| !line.is_empty()).count();
        (output.status.success() && count > 0).then_some(count)
    }

    /// Returns the files of a module that match the pattern, by their place in the bundle. The module
    /// is one that the component's go.sum pins.
    pub(super) fn files(
        &self,
        folder: &Path,
        files: &Files,
    ) -> Result<BTreeMap<String, PathBuf>, BuildError> {
        let module = self.module(folder, &files.module)?;
        let lacks = || BuildError::Lacks {
            part: format!("module {}", files.module),
            path: files.pattern.clone(),
        };
        let (below, name) = files.pattern.rsplit_once('/').ok_or_else(lacks)?;
        let (prefix, suffix) = name.split_once('*').unwrap_or((name, ""));
        let entries = module
            .directory
            .join(below)
            .read_dir()
            .map_err(|_| lacks())?;
        let found: BTreeMap<_, _> = entries
            .flatten()
            .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
            .filter(|(name, _)| name.starts_with(prefix) && name.ends_with(suffix))
            .map(|(name, path)| (format!("{}/{name}", files.folder), path))
            .collect();
        if found.is_empty() {
            return Err(lacks());
        }
        Ok(found)
    }

    /// Brings the module that a component's version belongs to into Go's cache, and returns its folder. `work` is for
    /// the component's go.mod and go.sum, which pins it.
    pub(super) fn component_module(
        &self,
        component: &Component,
        work: &Path,
    ) -> Result<PathBuf, BuildError> {
        let folder = SourceTree::of(&component.source.go).unpack(work)?;
        let module = component.module.as_deref().unwrap_or_default();
        Ok(self.module(&folder, module)?.directory)
    }

    /// Brings a module into Go's cache: `PATH`, of the version that go.mod says, or `PATH@VERSION`.
    fn module(&self, folder: &Path, module: &str) -> Result<Module, BuildError> {
        let mut command = self.command(folder);
        command.args(["mod", "download", "-json", module]);
        answer(command, "go mod download")
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        let inherited = std::env::vars_os().map(|(name, _)| name);
        for name in inherited.filter(|name| is_go_setting(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command
            .current_dir(folder)
            .envs(&self.settings)
            // The user's configuration file: what counts of it is in the settings.
            .env("GOENV", "off")
            .env("GOTOOLCHAIN", "local")
            .env("GOWORK", "off");
        command
    }
}

/// What `go mod download -json` tells.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Module {
    #[serde(rename = "Dir")]
    directory: PathBuf,
    sum: String,
}

fn is_go_setting(name: &str) -> bool {
    (name.starts_with("GO") || name.starts_with("CGO_")) && name != "GOMAXPROCS"
}

fn answer<T: serde::de::DeserializeOwned>(
    mut command: Command,
    name: &str,
) -> Result<T, BuildError> {
    let output = command.output().map_err(|source| BuildError::Start {
        program: name.into(),
        source,
    })?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let last_lines: Vec<String> = text.lines().map(Into::into).collect();
        return Err(BuildError::Command {
            part: "the bundle".into(),
            program: name.into(),
            ending: format!("failed ({})", output.status),
            hint: hint(&last_lines, &[]),
            last_lines,
        });
    }
    serde_json::from_slice(&output.stdout).map_err(|source| BuildError::Answer {
        program: name.into(),
        source,
    })
}

/// Leaves out `direct`: what no proxy has can't be had in a way that is the same for everybody.
fn without_direct(proxies: &str) -> Result<String, BuildError> {
    // A comma asks the next only if this one hasn't got the module, a bar whatever the error is.
    let mut left = String::new();
    for entry in proxies.split_inclusive([',', '|']) {
        if entry.trim_end_matches([',', '|']) != "direct" {
            left.push_str(entry);
        }
    }
    let left = left.trim_end_matches([',', '|']);
    match left {
        "" | "off" => Err(BuildError::NoProxy {
            value: proxies.into(),
        }),
        _ => Ok(left.into()),
    }
}

/// Tells from Go's last lines what is likely wrong.
fn hint(lines: &[String], debian_packages: &[String]) -> Option<String> {
    let has = |texts: &[&str]| {
        let mut pairs = lines
            .iter()
            .flat_map(|line| texts.iter().map(move |text| (line, text)));
        pairs.any(|(line, text)| line.contains(text))
    };
    if has(&[
        "checksum mismatch",
        "SECURITY ERROR",
        "missing go.sum entry",
    ]) {
        return Some(
            "a module is not the one that go.sum names: empty Go's module cache with `go clean \
             -modcache`, and if it stays so, don't trust the module proxy"
                .into(),
        );
    }
    if has(&["no space left on device"]) {
        return Some(
            "a full build needs about 20 GB: make room, or set GOCACHE and GOMODCACHE to another disk"
                .into(),
        );
    }
    if has(&[
        "dial tcp",
        "no such host",
        "i/o timeout",
        "TLS handshake",
        "connection re",
    ]) {
        return Some(
            "the module proxy can't be reached: check the network, or set GOPROXY and HTTPS_PROXY; \
             what was built so far is kept"
                .into(),
        );
    }
    if has(&["requires go >=", "GOTOOLCHAIN=local"]) {
        return Some("this Go is too old: install the version that the message names".into());
    }
    if !debian_packages.is_empty()
        && has(&["pkg-config", "fatal error:", "C compiler", "cannot find -l"])
    {
        return Some(format!(
            "this part needs C: `apt install {}`",
            debian_packages.join(" ")
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{hint, without_direct};

    #[test]
    fn direct_is_left_out_of_the_proxies() {
        let cases = [
            ("https://a.test,direct", "https://a.test"),
            (
                "https://a.test|https://b.test|direct",
                "https://a.test|https://b.test",
            ),
            ("direct,https://a.test", "https://a.test"),
        ];
        for (proxies, expected) in cases {
            assert_eq!(without_direct(proxies).unwrap(), expected);
        }
        for proxies in ["", "direct", "off"] {
            assert!(without_direct(proxies).is_err(), "{proxies}");
        }
    }

    #[test]
    fn hints_fit_what_go_says() {
        let cases = [
            (
                "go: a.test/x@v1.0.0: dial tcp: lookup a.test: no such host",
                "HTTPS_PROXY",
            ),
            ("verifying a.test/x@v1.0.0: checksum mismatch", "go clean"),
            (
                "go: go.mod requires go >= 1.99 (running go 1.26; GOTOOLCHAIN=local)",
                "too old",
            ),
            (
                "# pkg-config --cflags  -- libseccomp libseccomp",
                "apt install libseccomp-dev",
            ),
            ("write /tmp/x: no space left on device", "make room"),
        ];
        for (line, expected) in cases {
            let found = hint(&[line.into()], &["libseccomp-dev".into()]).unwrap_or_default();
            assert!(found.contains(expected), "{line}: {found}");
        }
        assert_eq!(hint(&["./main.go:3:1: syntax error".into()], &[]), None);
    }
}
