//! QEMU's monitor (QMP) of one machine.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Failure;

pub struct Monitor {
    stream: UnixStream,
    reader: BufReader<UnixStream>,
}

impl Monitor {
    /// Connects; another caller may have to finish first.
    pub fn connect(socket: &Path) -> Result<Self, Failure> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_mins(2)))?;
        let mut monitor = Self {
            reader: BufReader::new(stream.try_clone()?),
            stream,
        };
        monitor.line()?;
        monitor.call("qmp_capabilities", &json!({}))?;
        Ok(monitor)
    }

    /// Gives a command and returns the answer.
    pub fn call(&mut self, command: &str, arguments: &Value) -> Result<Value, Failure> {
        let text = json!({"execute": command, "arguments": arguments}).to_string();
        self.stream.write_all(text.as_bytes())?;
        loop {
            let mut answer = self.line()?;
            if let Some(error) = answer.get("error") {
                return Err(format!("QEMU's {command}: {error}").into());
            }
            if let Some(value) = answer.get_mut("return") {
                return Ok(value.take());
            }
        }
    }

    /// Returns what the machine is doing, in QEMU's words.
    pub fn status(&mut self) -> Result<String, Failure> {
        let answer = self.call("query-status", &json!({}))?;
        Ok(answer["status"].as_str().unwrap_or_default().to_owned())
    }

    /// Writes the stopped machine's memory into a file.
    pub fn save_memory(&mut self, file: &Path) -> Result<(), Failure> {
        self.call(
            "migrate",
            &json!({"uri": format!("file:{}", file.display())}),
        )?;
        let deadline = Instant::now() + Duration::from_mins(10);
        while Instant::now() < deadline {
            let answer = self.call("query-migrate", &json!({}))?;
            match answer["status"].as_str() {
                Some("completed") => return Ok(()),
                Some("failed" | "cancelled") => {
                    return Err(format!("memory not saved: {answer}").into());
                }
                _ => sleep(Duration::from_millis(50)),
            }
        }
        Err("memory not saved in 10 minutes".into())
    }

    /// Ends QEMU, and waits until it is gone.
    pub fn quit(mut self) -> Result<(), Failure> {
        self.call("quit", &json!({}))?;
        while self.line().is_ok() {}
        Ok(())
    }

    fn line(&mut self) -> Result<Value, Failure> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err("QEMU has ended".into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}
