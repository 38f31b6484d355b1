//! Progress on a terminal: one line per host, how far it is, and what it does or waits for.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::host_state::HostStates;
use crate::run::{Observer, RunEvent};

/// One spinner per host; a host that is done keeps its line with a mark.
#[derive(Default)]
pub struct Bars {
    progress: MultiProgress,
    hosts: HashMap<String, ProgressBar>,
    states: HostStates,
}

impl Observer for Bars {
    fn event(&mut self, event: &RunEvent) {
        let width = match event {
            RunEvent::Started { hosts, .. } => hosts.iter().map(String::len).max(),
            _ => None,
        };
        if let RunEvent::Started { hosts, .. } = event {
            for host in hosts {
                let bar = self.progress.add(ProgressBar::new_spinner());
                bar.set_style(style());
                bar.set_prefix(format!("{host:width$}", width = width.unwrap_or(0)));
                bar.enable_steady_tick(Duration::from_millis(120));
                self.hosts.insert(host.clone(), bar);
            }
        }
        if let RunEvent::Finished { .. } = event {
            for bar in self.hosts.values() {
                bar.finish();
            }
        }
        let (changed, news) = self.states.add(event);
        let stays = matches!(
            event,
            RunEvent::NewHostKey { .. } | RunEvent::KeyAdded { .. } | RunEvent::Notice { .. }
        );
        if let (true, Some((host, text))) = (stays, &news) {
            // These must stay on the screen. If the terminal is gone, so is who would read it.
            let _ = self.progress.println(format!("{host}  {text}"));
            return;
        }
        for host in changed {
            self.show(&host);
        }
        if let RunEvent::HostDone { host, .. }
        | RunEvent::HostFailed { host, .. }
        | RunEvent::HostUnreachable { host, .. } = event
            && let Some(bar) = self.hosts.get(host)
        {
            bar.finish();
        }
    }
}

impl Bars {
    fn show(&self, host: &str) {
        let Some(bar) = self.hosts.get(host) else {
            return;
        };
        if let Some((done, planned)) = self.states.steps(host) {
            if bar.length().is_none() {
                bar.set_style(style_with_steps());
            }
            bar.set_length(planned as u64);
            bar.set_position(done as u64);
        }
        bar.set_message(self.states.text(host));
    }
}

fn style() -> ProgressStyle {
    styled("{spinner} {prefix}  {elapsed:>4}  {wide_msg}")
}

fn style_with_steps() -> ProgressStyle {
    styled("{spinner} {prefix}  {elapsed:>4}  {pos:>3}/{len}  {wide_msg}")
}

fn styled(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏·")
}
