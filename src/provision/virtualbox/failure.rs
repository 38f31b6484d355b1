//! What VBoxManage says when it fails, and what that means.

use std::fmt;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    exit_code: Option<i32>,
    text: String,
}

impl Failure {
    /// Keeps the lines that tell something: progress, contexts and usage are left out.
    pub fn read(exit_code: Option<i32>, stdout: &str, stderr: &str) -> Self {
        let errors: Vec<&str> = stderr.lines().filter(|line| is_telling(line)).collect();
        let text = if errors.is_empty() {
            stdout.lines().map(str::trim).collect::<Vec<_>>().join("\n")
        } else {
            let plain = |line: &&str| {
                line.trim_start_matches("VBoxManage: error: ")
                    .trim()
                    .to_owned()
            };
            errors.iter().map(plain).collect::<Vec<_>>().join("\n")
        };
        Self {
            exit_code,
            text: text.trim().to_owned(),
        }
    }

    /// Returns all that was said.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns VirtualBox's name of the failure, such as `VBOX_E_OBJECT_NOT_FOUND`.
    pub fn code(&self) -> Option<&str> {
        let is_part = |it: char| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_';
        let words = self.text.split(|it: char| !is_part(it));
        let known = ["VBOX_E_", "VERR_", "NS_ERROR_", "E_"];
        words
            .filter(|word| known.iter().any(|start| word.starts_with(start)))
            .min_by_key(|word| known.iter().position(|start| word.starts_with(start)))
    }

    /// Returns whether the same call may succeed a moment later: another holds the lock, something listed is
    /// just going away, VirtualBox's server is just starting or ending, or VBoxManage crashed over that.
    pub fn is_passing(&self) -> bool {
        const PASSING: [&str; 10] = [
            // Of a machine that another call is just starting or ending.
            "has tried to lock the machine",
            "Failed to get a console object",
            "is already locked",
            "already has a lock request pending",
            "while it is locked",
            "being unlocked",
            "The object is not ready",
            "the VirtualBox COM server is not running",
            "Failed to create the VirtualBox object",
            "Failed to get a least one of the VirtualBox",
        ];
        let is_crash = self.exit_code.is_none() && self.text.is_empty();
        is_crash || PASSING.iter().any(|it| self.text.contains(it))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self
            .text
            .lines()
            .filter(|it| !it.starts_with("Details: "))
            .collect();
        match (lines.is_empty(), self.exit_code) {
            (false, _) => formatter.write_str(&lines.join("; "))?,
            (true, Some(code)) => write!(formatter, "exit code {code} without output")?,
            (true, None) => formatter.write_str("it was killed")?,
        }
        match self.code() {
            Some(code) if !lines.iter().any(|line| line.contains(code)) => {
                write!(formatter, " ({code})")
            }
            _ => Ok(()),
        }
    }
}

fn is_telling(line: &str) -> bool {
    let line = line.trim();
    let is_progress = line.starts_with("0%...");
    let is_context = line.starts_with("VBoxManage: error: Context: ");
    !line.is_empty()
        && !is_progress
        && !is_context
        && !line.starts_with("Oracle VirtualBox Command Line")
        && !line.starts_with("Copyright (C)")
}

/// A failure that is known: words of VirtualBox, what they mean, and what to do.
struct Known {
    words: &'static [&'static str],
    cause: &'static str,
    hints: &'static [&'static str],
}

/// The first that fits is taken.
const KNOWN: &[Known] = &[
    Known {
        words: &[
            "VERR_SVM_IN_USE",
            "VERR_VMX_IN_VMX_ROOT_MODE",
            "VERR_VMX_BEING_USED",
        ],
        cause: "another hypervisor, mostly KVM, has taken the processor's virtualization",
        hints: &[
            "stop machines of KVM (`virsh list`, `pgrep qemu`), then `sudo modprobe -r kvm_amd kvm_intel`",
            "for good: put `blacklist kvm_intel` and `blacklist kvm_amd` into /etc/modprobe.d/virtualbox.conf, or start Linux with `kvm.enable_virt_at_load=0`",
        ],
    },
    Known {
        words: &[
            "VERR_VMX_MSR_ALL_VMX_DISABLED",
            "VERR_VMX_MSR_VMX_DISABLED",
            "VERR_VMX_MSR_VMXON_DISABLED",
            "VERR_SVM_DISABLED",
            "VERR_VMX_MSR_SMX_VMXON_DISABLED",
            "AMD-V is disabled in the BIOS",
            "VT-x is disabled in the BIOS",
        ],
        cause: "the processor's virtualization is switched off in the firmware",
        hints: &[
            "switch on VT-x (Intel) or SVM (AMD) in the BIOS or UEFI set-up of this computer, then power it off and on",
        ],
    },
    Known {
        words: &[
            "VERR_NEM_NOT_AVAILABLE",
            "VERR_NEM_VM_CREATE_FAILED",
            "Hyper-V",
            "WinHvCapabilityCode",
        ],
        cause: "Hyper-V has the processor's virtualization and doesn't give it to VirtualBox",
        hints: &[
            "in a console as administrator: `bcdedit /set hypervisorlaunchtype off`, then restart Windows; also switch off `Memory integrity` (Windows Security, Device security, Core isolation). WSL 2 and Docker Desktop need Hyper-V",
        ],
    },
    Known {
        words: &["VERR_VMX_NO_VMX", "VERR_SVM_NO_SVM", "VERR_NO_HW_VIRT"],
        cause: "the processor has no virtualization, or this computer is a virtual machine that isn't given it",
        hints: &[
            "if this computer is a virtual machine, switch nested virtualization on where it runs; else use `--provider container`",
        ],
    },
    Known {
        words: &[
            "VERR_VM_DRIVER_VERSION_MISMATCH",
            "VERR_SUPDRV_VERSION",
            "VERR_VM_DRIVER_NOT_COMPATIBLE",
            "VERR_SUPLIB_",
            "does not match the version of",
        ],
        cause: "the kernel modules are of another VirtualBox than the programs",
        hints: &[
            "build them again: `sudo /sbin/vboxconfig`, or on Debian and Ubuntu `sudo dpkg-reconfigure virtualbox-dkms`; then `sudo modprobe -r vboxnetadp vboxnetflt vboxdrv; sudo modprobe vboxdrv`",
        ],
    },
    Known {
        words: &["Required key not available", "Key was rejected by service"],
        cause: "Secure Boot refuses VirtualBox's kernel modules because they are not signed",
        hints: &[
            "sign them: `sudo mokutil --import /var/lib/dkms/mok.pub` (or /var/lib/shim-signed/mok/MOK.der), restart and enrol the key; or switch Secure Boot off in the firmware",
        ],
    },
    Known {
        words: &["/dev/vboxnetctl", "VBoxNetAdpCtl: Error while adding"],
        cause: "the kernel module for host-only networks (vboxnetadp) isn't loaded",
        hints: &[
            "load it: `sudo modprobe vboxnetadp`; if there is none, `sudo /sbin/vboxconfig` builds it (Debian and Ubuntu: `sudo apt install virtualbox-dkms`)",
        ],
    },
    Known {
        words: &[
            "VERR_VM_DRIVER_NOT_INSTALLED",
            "VERR_VM_DRIVER_LOAD_ERROR",
            "Kernel driver not installed",
            "/dev/vboxdrv",
            "VERR_SUP_DRIVERLESS",
            "has terminated unexpectedly during startup with exit code 1 (0x1)",
        ],
        cause: "VirtualBox's kernel driver isn't loaded",
        hints: &[
            "Linux: `sudo modprobe vboxdrv`; if there is none, `sudo /sbin/vboxconfig` builds it (Debian and Ubuntu: `sudo apt install virtualbox-dkms linux-headers-$(uname -r)`)",
            "macOS: allow Oracle's extension in System Settings, Privacy & Security; Windows: `sc start vboxsup` as administrator",
        ],
    },
    Known {
        words: &["VERR_VM_DRIVER_NOT_ACCESSIBLE"],
        cause: "this user may not use VirtualBox's kernel driver",
        hints: &["`sudo usermod -aG vboxusers $USER`, then log in again"],
    },
    Known {
        words: &[
            "VERR_DISK_FULL",
            "VERR_FS_FULL",
            "No space left on device",
            "not enough space",
        ],
        cause: "the disk is full",
        hints: &[
            "`VBoxManage list systemproperties` names the machine folder: make room there, or move it with `VBoxManage setproperty machinefolder FOLDER`",
        ],
    },
    Known {
        words: &[
            "VERR_NO_MEMORY",
            "VERR_OUT_OF_MEMORY",
            "VERR_NO_LOW_MEMORY",
            "E_OUTOFMEMORY",
        ],
        cause: "this computer has not enough free memory for the machine",
        hints: &[
            "stop other machines (`VBoxManage list runningvms`), or set a smaller `machine_memory`",
        ],
    },
    Known {
        words: &["is not in the allowed range", "- Access denied"],
        cause: "VirtualBox doesn't allow this address for a host-only network",
        hints: &["use addresses of 192.168.56.0/21, or allow others in /etc/vbox/networks.conf"],
    },
    Known {
        words: &[
            "Nonexistent host networking interface",
            "VERR_INTNET_FLT_IF_NOT_FOUND",
        ],
        cause: "the interface of the lab's host-only network is gone",
        hints: &["`kinstall up` makes it again; `VBoxManage list hostonlyifs` lists them"],
    },
    Known {
        words: &["VERR_ALREADY_EXISTS"],
        cause: "the file that VirtualBox is to make is there already",
        hints: &[
            "`kinstall down` removes what an interrupted run left; a file of your own has to be moved away",
        ],
    },
    Known {
        words: &[
            "Failed to create the VirtualBox object",
            "the VirtualBox COM server is not running",
        ],
        cause: "VirtualBox's server (VBoxSVC) doesn't start",
        hints: &[
            "end what is left of it (`pgrep VBoxSVC`) and try `VBoxManage list vms`; `VBoxSVC.log` in its settings folder (~/.config/VirtualBox) tells more",
        ],
    },
];

/// Returns what a text of VirtualBox means, where that is known, and what to do.
pub fn explain(text: &str) -> Option<(&'static str, &'static [&'static str])> {
    let known = KNOWN
        .iter()
        .find(|it| it.words.iter().any(|words| text.contains(words)))?;
    Some((known.cause, known.hints))
}

#[cfg(test)]
mod tests {
    use super::{Failure, explain};

    const NOT_FOUND: &str = "VBoxManage: error: Could not find a registered machine named 'x'\n\
        VBoxManage: error: Details: code VBOX_E_OBJECT_NOT_FOUND (0x80bb0001), component VirtualBoxWrap\n\
        VBoxManage: error: Context: \"FindMachine(Bstr(VMName).raw())\" at line 228 of file VBoxManageMisc.cpp\n";

    #[test]
    fn a_failure_is_short_and_has_its_code() {
        let failure = Failure::read(Some(1), "", NOT_FOUND);
        insta::assert_snapshot!(failure, @"Could not find a registered machine named 'x' (VBOX_E_OBJECT_NOT_FOUND)");
        let failure = Failure::read(
            Some(1),
            "This machine does not have any snapshots\n",
            "0%...10%...100%\n",
        );
        insta::assert_snapshot!(failure, @"This machine does not have any snapshots");
        insta::assert_snapshot!(Failure::read(Some(3), "", ""), @"exit code 3 without output");
    }

    #[test]
    fn locks_pass_and_other_failures_do_not() {
        let passing = "VBoxManage: error: The machine 'tiny' is already locked for a session (or being unlocked)";
        assert!(Failure::read(Some(1), "", passing).is_passing());
        assert!(!Failure::read(Some(1), "", NOT_FOUND).is_passing());
    }

    #[test]
    fn a_list_with_something_that_is_just_going_away_is_asked_for_again() {
        let said = "VBoxManage: error: The object is not ready\n\
            VBoxManage: error: Details: code E_ACCESSDENIED (0x80070005), component MediumWrap, interface IMedium";
        assert!(Failure::read(Some(1), "", said).is_passing());
        assert_eq!(explain(said), None);
    }

    #[test]
    fn known_words_are_explained() {
        let cases = [
            "AMD-V is being used by another hypervisor (VERR_SVM_IN_USE).",
            "VT-x is disabled in the BIOS for all CPU modes (VERR_VMX_MSR_ALL_VMX_DISABLED)",
            "VT-x is not available (VERR_VMX_NO_VMX)",
            "Call to WHvSetupPartition failed: Hyper-V",
            "The virtual machine 'node2' has terminated unexpectedly during startup with exit code 1 (0x1)",
            "VBoxNetAdpCtl: Error while adding new interface: failed to open /dev/vboxnetctl: No such file or directory",
            "VERR_VM_DRIVER_VERSION_MISMATCH",
            "modprobe: ERROR: could not insert 'vboxdrv': Key was rejected by service",
            "Code E_ACCESSDENIED (0x80070005) - Access denied (extended info not available)",
            "Could not create the medium storage unit (VERR_DISK_FULL)",
            "something new",
        ];
        let explained: Vec<&str> = cases
            .iter()
            .map(|it| explain(it).map_or("-", |(cause, _)| cause))
            .collect();
        insta::assert_snapshot!(explained.join("\n"), @"
        another hypervisor, mostly KVM, has taken the processor's virtualization
        the processor's virtualization is switched off in the firmware
        the processor has no virtualization, or this computer is a virtual machine that isn't given it
        Hyper-V has the processor's virtualization and doesn't give it to VirtualBox
        VirtualBox's kernel driver isn't loaded
        the kernel module for host-only networks (vboxnetadp) isn't loaded
        the kernel modules are of another VirtualBox than the programs
        Secure Boot refuses VirtualBox's kernel modules because they are not signed
        VirtualBox doesn't allow this address for a host-only network
        the disk is full
        -
        ");
    }
}
