//! `kinstall open`: pages of the cluster on loopback.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::kinstall::Kinstall;

/// A Service of any kind is served until Ctrl-C, and then nothing listens any more.
pub fn open_until_they_are_interrupted(lab: &Kinstall) {
    let page = opened(lab, "default/kubernetes:https", "version");
    assert!(page.contains("gitVersion"), "{page}");
    let unknown = lab.run(&["open", "default/kubernetse"]);
    unknown.expect_code(4);
    assert!(
        unknown
            .stderr()
            .contains("did you mean `default/kubernetes`?")
    );
}

/// An add-on's page is there under its name, while the add-on is on.
pub fn of_an_add_on_open_by_name(lab: &Kinstall) {
    let page = opened(lab, "metrics", "");
    assert!(page.contains("<html"), "{page}");
}

pub fn of_an_add_on_that_is_off_say_how_to_switch_it_on(lab: &Kinstall) {
    let off = lab.run(&["open", "metrics"]);
    off.expect_code(3);
    assert!(
        off.stderr()
            .contains("set `victoria_metrics_enabled: true`")
    );
}

/// Returns what is below the address that `open` prints.
fn opened(lab: &Kinstall, target: &str, below: &str) -> String {
    let page = Opened::of(lab, target);
    let answer = Command::new("curl")
        .args(["--silent", "--insecure", "--fail", "--max-time", "10"])
        .arg(format!("{}{below}", page.url))
        .output()
        .unwrap();
    page.close();
    String::from_utf8_lossy(&answer.stdout).into_owned()
}

/// A `kinstall open` that runs.
pub struct Opened {
    open: Child,
    /// What it printed.
    pub url: String,
}

impl Opened {
    pub fn of(lab: &Kinstall, target: &str) -> Self {
        let mut open = lab
            .command(&["open", target, "--no-browser"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let mut stdout = BufReader::new(open.stdout.take().unwrap());
        stdout.read_line(&mut url).unwrap();
        let url = url.trim_end().to_owned();
        Self { open, url }
    }

    /// Interrupts it; nothing listens any more then.
    pub fn close(mut self) {
        kill_process(Pid::from_child(&self.open), Signal::INT).unwrap();
        assert!(self.open.wait().unwrap().success());
        let address = self.url.split('/').nth(2).unwrap();
        assert!(
            TcpStream::connect(address).is_err(),
            "{address} still listens"
        );
    }
}

/// It ends with a test that failed, too.
impl Drop for Opened {
    fn drop(&mut self) {
        // Closed ones have ended already.
        let _ = self.open.kill();
        let _ = self.open.wait();
    }
}
