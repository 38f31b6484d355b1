//! Progress on a terminal: one line per host, what it does now, and for how long.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::lines::Narrator;
use crate::run::{Observer, RunEvent};

/// One spinner per host; a host that is done keeps its line with a mark.
#[derive(Default)]
pub struct Bars {
    progress: MultiProgress,
    hosts: HashMap<String, ProgressBar>,
    narrator: Narrator,
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
        let Some((host, text)) = self.narrator.tell(event) else {
            return;
        };
        if let RunEvent::NewHostKey { .. } | RunEvent::KeyAdded { .. } | RunEvent::Notice { .. } =
            event
        {
            // These must stay on the screen. If the terminal is gone, so is who would read it.
            let _ = self.progress.println(format!("{host}  {text}"));
        } else if let Some(bar) = self.hosts.get(&host) {
            bar.set_message(text);
            if matches!(
                event,
                RunEvent::HostDone { .. }
                    | RunEvent::HostFailed { .. }
                    | RunEvent::HostUnreachable { .. }
            ) {
                bar.finish();
            }
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix}  {elapsed:>4}  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏·")
}
