//! `config`: what the blocks of a Vagrantfile are given, and where their settings go.

use std::ops::Range;
use std::rc::Rc;

use super::assignment::join;
use super::given::Given;
use super::value::{Object, Value};
use super::{Evaluated, Evaluator, Flow};
use crate::diagnostic::{Diagnostic, Kind};
use crate::vagrant::lab::{Call, Placed, ProviderBlock};

/// Providers in the order in which they stand in for a missing virtualbox block.
const PROVIDERS: [&str; 9] = [
    "virtualbox",
    "libvirt",
    "vmware_desktop",
    "vmware_fusion",
    "vmware_workstation",
    "vmware",
    "parallels",
    "hyperv",
    "qemu",
];

impl Evaluator {
    /// A method of `config`, or of what stands behind it: `config.vm.network …`.
    pub(super) fn configure(
        &mut self,
        machine: Option<usize>,
        path: &str,
        name: &str,
        arguments: Vec<Value>,
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Evaluated {
        let full = join(path, name);
        if let "env.enable" | "env.load" = full.as_str() {
            return Ok(self.dotenv(&arguments, span));
        }
        if arguments.is_empty() && given.is_none() {
            if let Some(value) = self.lab.value(machine, &full) {
                return Ok(value);
            }
            if path == "vm" {
                return Ok(self.unknown(span, &format!("`{full}` is not set here")));
            }
            return Ok(Value::Object(Object::Configuration {
                machine,
                path: full,
            }));
        }
        match (full.as_str(), given) {
            ("vm.define", given) => self.define(&arguments, given, span),
            ("vm.provider", given) => {
                let provider = arguments.first().and_then(Value::as_text);
                if let (Some(provider), Some(Given::Block(block))) = (provider, given) {
                    let block = ProviderBlock {
                        provider: provider.to_string(),
                        block: Rc::clone(block),
                        place: self.place(span),
                    };
                    let machine = self.owner(machine, span);
                    self.lab.settings(machine).providers.push(block);
                }
            }
            ("vm.provision", given) => {
                let options = self.provisioner(given, span)?;
                let machine = self.owner(machine, span);
                let mut arguments = arguments;
                arguments.push(Value::map(options));
                self.record(machine, full, arguments, span);
            }
            _ => {
                let machine = self.owner(machine, span);
                self.record(machine, full, arguments, span);
            }
        }
        Ok(Value::Nil)
    }

    /// `config.vm.box = …`
    pub(super) fn set_configuration(
        &mut self,
        machine: Option<usize>,
        path: String,
        value: Value,
        span: &Range<usize>,
    ) {
        let machine = self.owner(machine, span);
        let place = self.place(span);
        let settings = self.lab.settings(machine);
        // What is set later wins, and stands at its own place.
        settings.values.shift_remove(&path);
        settings.values.insert(path, Placed { value, place });
    }

    fn record(
        &mut self,
        machine: Option<usize>,
        name: String,
        arguments: Vec<Value>,
        span: &Range<usize>,
    ) {
        let place = self.place(span);
        let call = Call {
            name,
            arguments,
            place,
        };
        self.lab.settings(machine).calls.push(call);
    }

    /// In a machine's block, the outer `config` is hardly ever meant for all machines.
    fn owner(&mut self, machine: Option<usize>, span: &Range<usize>) -> Option<usize> {
        if machine.is_none()
            && let Some(current) = self.lab.current
        {
            let name = self.lab.machines[current].name.clone();
            self.assumed(
                span,
                format!("set on the outer `config` inside the block of `{name}`: taken as its own"),
            );
            return Some(current);
        }
        machine
    }

    fn define(&mut self, arguments: &[Value], given: Option<&Given>, span: &Range<usize>) {
        let [name, options @ ..] = arguments else {
            return;
        };
        let Some(text) = name.as_text().filter(|it| !it.is_empty()) else {
            let reason = match name.why_within() {
                Some(why) => why.reason.clone(),
                None => "this is not a name".to_owned(),
            };
            self.fill_in(span, format!("a machine without a known name: {reason}"));
            return;
        };
        let block = match given {
            Some(Given::Block(block)) => Some(Rc::clone(block)),
            _ => None,
        };
        let place = self.place(span);
        self.lab.define(&text, options.first(), block, place);
    }

    /// Looks into a provisioner's block for the groups of Ansible; the rest of it isn't needed.
    fn provisioner(
        &mut self,
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Vec<(Value, Value)>, Flow> {
        if given.is_none() {
            return Ok(Vec::new());
        }
        let outer = self.lab.provisioner.take();
        self.lab.provisioner = Some(Vec::new());
        let object = Value::Object(Object::Provisioner);
        let result = self.muted(|evaluator| evaluator.give(given, &[object], span));
        let options = std::mem::replace(&mut self.lab.provisioner, outer);
        match result {
            Err(Flow::Stop) => Err(Flow::Stop),
            _ => Ok(options.unwrap_or_default()),
        }
    }

    /// Follows the blocks of all machines, as Vagrant does after it has read the file.
    ///
    /// # Errors
    ///
    /// Where the file isn't one that configures machines, and where all of them are among what isn't known: Vagrant
    /// makes a machine `default` only if the file defines no other.
    pub fn machines(&mut self) -> Result<(), Diagnostic> {
        let mut next = 0;
        while let Some(block) = self.configurations.get(next).map(Rc::clone) {
            let configuration = Value::Object(Object::Configuration {
                machine: None,
                path: String::new(),
            });
            if let Err(Flow::Stop) = self.run(&block, &[configuration]) {
                break;
            }
            next += 1;
        }
        if self.lab.machines.is_empty() {
            self.refuse_without_machines()?;
            let place = self.place(&(0..0));
            self.lab.define("default", None, None, place);
            self.lab.is_single = true;
        }
        let mut index = 0;
        while index < self.lab.machines.len() {
            self.lab.current = Some(index);
            let blocks = self.lab.machines[index].blocks.clone();
            for block in blocks {
                let configuration = Value::Object(Object::Configuration {
                    machine: Some(index),
                    path: String::new(),
                });
                if let Err(Flow::Stop) = self.run(&block, &[configuration]) {
                    break;
                }
            }
            self.provider(index);
            index += 1;
        }
        self.lab.current = None;
        Ok(())
    }

    fn refuse_without_machines(&self) -> Result<(), Diagnostic> {
        let (name, text) = (self.file.path.display(), &self.file.text);
        let error = |message: String| Diagnostic::error(Kind::Inventory, message);
        let first_line = text.lines().next().unwrap_or_default();
        let is_other_script = first_line.starts_with("#!") && !first_line.contains("ruby");
        let mut configures = ["Vagrant.configure", "Vagrant::Config"].iter();
        let configures = configures.any(|it| text.contains(it));
        if self.configurations.is_empty() && (is_other_script || !configures) {
            return Err(error(format!("{name} is not a Vagrantfile"))
                .hint("a Vagrantfile has a line `Vagrant.configure(\"2\") do |config|`"));
        }
        match &self.first_problem {
            Some((place, reason)) if self.defines || self.configurations.is_empty() => Err(error(
                format!("none of the machines that {name} defines is known"),
            )
            .at(place.clone(), reason.clone())
            .hint("replace what can't be followed, or write the inventory by hand")),
            _ => Ok(()),
        }
    }

    /// Follows the blocks of virtualbox; without any, those of another provider.
    fn provider(&mut self, index: usize) {
        let own = self.lab.machines[index].settings.providers.iter();
        let blocks: Vec<ProviderBlock> = self
            .lab
            .global
            .providers
            .iter()
            .chain(own)
            .cloned()
            .collect();
        let named = self.environment_variable("VAGRANT_DEFAULT_PROVIDER");
        let mut wished = named.iter().map(|it| &**it).chain(PROVIDERS);
        let chosen = wished
            .find(|name| blocks.iter().any(|it| it.provider == *name))
            .or_else(|| blocks.first().map(|it| it.provider.as_str()));
        let Some(chosen) = chosen.map(str::to_owned) else {
            return;
        };
        self.lab.provider.get_or_insert_with(|| chosen.clone());
        let is_named = named.as_deref() == Some(&chosen);
        for block in blocks {
            let span = block.place.span.clone();
            if block.provider != chosen {
                let message = format!(
                    "settings of {}: those of {chosen} are taken",
                    block.provider
                );
                self.at_file(&block, |evaluator| evaluator.left_out(&span, message));
                continue;
            }
            if chosen != "virtualbox" {
                let reason = if is_named {
                    "VAGRANT_DEFAULT_PROVIDER says so"
                } else {
                    "there is no virtualbox block"
                };
                let message = format!("{reason}: sizes are taken from that of {chosen}");
                self.at_file(&block, |evaluator| evaluator.assumed(&span, message));
            }
            let provider = Value::Object(Object::Provider {
                machine: index,
                path: String::new(),
            });
            let configuration = Value::Object(Object::Configuration {
                machine: Some(index),
                path: String::new(),
            });
            if let Err(Flow::Stop) = self.run(&block.block, &[provider, configuration]) {
                return;
            }
        }
    }

    fn at_file(&mut self, block: &ProviderBlock, run: impl FnOnce(&mut Self)) {
        let file = std::sync::Arc::clone(&block.place.file);
        let outer = std::mem::replace(&mut self.file, file);
        run(self);
        self.file = outer;
    }
}
