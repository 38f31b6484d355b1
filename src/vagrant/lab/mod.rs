//! What a Vagrantfile says about its machines, as it says it, and what that means for kinstall.

mod customize;
mod explain;
mod folder;
mod image;
pub mod machine;
pub mod missing;
mod network;
mod provision;
mod read;
mod size;
mod size_of_provider;

use std::rc::Rc;

use indexmap::IndexMap;

use super::evaluate::scope::Closure;
use super::evaluate::value::Value;
use crate::diagnostic::Location;

/// All machines with their settings, in the order of the file.
#[derive(Default)]
pub struct Lab {
    pub global: Settings,
    pub machines: Vec<Definition>,
    /// The machine whose block is being followed.
    pub current: Option<usize>,
    /// The provider whose blocks are followed, if one has any.
    pub provider: Option<String>,
    /// The file defines no machine, so it is one.
    pub is_single: bool,
    /// What the provisioner's block that is being followed sets.
    pub provisioner: Option<Vec<(Value, Value)>>,
}

/// A machine that `config.vm.define` names.
pub struct Definition {
    pub name: String,
    pub place: Location,
    /// `autostart: false`
    pub is_manual: bool,
    pub blocks: Vec<Rc<Closure>>,
    pub settings: Settings,
    /// What the provider's block sets.
    pub provider: Settings,
}

/// Settings as they were written.
#[derive(Default)]
pub struct Settings {
    /// `config.vm.box = …`, under `vm.box`.
    pub values: IndexMap<String, Placed>,
    /// `config.vm.network …`, in order.
    pub calls: Vec<Call>,
    pub providers: Vec<ProviderBlock>,
}

/// A value and where it was set.
#[derive(Clone)]
pub struct Placed {
    pub value: Value,
    pub place: Location,
}

/// A setting that may stand there several times.
#[derive(Clone)]
pub struct Call {
    pub name: String,
    pub arguments: Vec<Value>,
    pub place: Location,
}

/// `config.vm.provider "virtualbox" do |vb| … end`
#[derive(Clone)]
pub struct ProviderBlock {
    pub provider: String,
    pub block: Rc<Closure>,
    pub place: Location,
}

impl Lab {
    /// Adds a machine, or a further block to one.
    pub fn define(
        &mut self,
        name: &str,
        options: Option<&Value>,
        block: Option<Rc<Closure>>,
        place: Location,
    ) {
        let autostart = options.and_then(|it| it.option("autostart"));
        let is_manual = autostart.is_some_and(|it| it.is_true() == Some(false));
        if let Some(machine) = self.machines.iter_mut().find(|it| it.name == name) {
            machine.blocks.extend(block);
            machine.is_manual |= is_manual;
            return;
        }
        self.machines.push(Definition {
            name: name.to_owned(),
            place,
            is_manual,
            blocks: block.into_iter().collect(),
            settings: Settings::default(),
            provider: Settings::default(),
        });
    }

    /// Returns the settings of a machine, or those of all.
    pub fn settings(&mut self, machine: Option<usize>) -> &mut Settings {
        match machine {
            Some(index) => &mut self.machines[index].settings,
            None => &mut self.global,
        }
    }

    /// Reads a setting back.
    pub fn value(&self, machine: Option<usize>, path: &str) -> Option<Value> {
        let own = machine.and_then(|it| self.machines[it].settings.values.get(path));
        let placed = own.or_else(|| self.global.values.get(path))?;
        Some(placed.value.clone())
    }

    pub fn provider_value(&self, machine: usize, path: &str) -> Option<Value> {
        let placed = self.machines[machine].provider.values.get(path)?;
        Some(placed.value.clone())
    }

    pub fn set_provider(&mut self, machine: usize, path: String, value: Value, place: Location) {
        let values = &mut self.machines[machine].provider.values;
        values.insert(path, Placed { value, place });
    }

    pub fn call_provider(
        &mut self,
        machine: usize,
        name: String,
        arguments: Vec<Value>,
        place: Location,
    ) {
        self.machines[machine].provider.calls.push(Call {
            name,
            arguments,
            place,
        });
    }

    pub fn set_provisioner(&mut self, name: &str, value: Value) {
        if let Some(options) = &mut self.provisioner {
            options.push((Value::symbol(name), value));
        }
    }

    pub fn current_name(&self) -> Option<&str> {
        Some(self.machines[self.current?].name.as_str())
    }
}
