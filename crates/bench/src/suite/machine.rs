//! What was measured on: without it no figure means much.

use std::fmt;
use std::fs::read_to_string;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Machine {
    cpu: String,
    cores: usize,
    memory_gib: u64,
    kernel: String,
    virtual_machine: bool,
}

impl Machine {
    pub(super) fn this() -> Self {
        let cpuinfo = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let meminfo = read_to_string("/proc/meminfo").unwrap_or_default();
        let kib: u64 =
            field(&meminfo, "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(0);
        Self {
            cpu: field(&cpuinfo, "model name").unwrap_or("unknown").to_owned(),
            cores: net::allowed_cores().len(),
            memory_gib: (kib + (1 << 19)) >> 20,
            kernel: series(&read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default()),
            virtual_machine: field(&cpuinfo, "flags")
                .is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.virtual_machine { ", virtual" } else { "" };
        write!(f, "{}, {} cores{kind}, {} GiB, Linux {}", self.cpu, self.cores, self.memory_gib, self.kernel)
    }
}

/// How busy the machine was before we began: others' work on the same cores is in every figure.
pub(super) fn load_average() -> Option<f64> {
    read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// The value of the first line `name : value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then_some(value.trim())
    })
}

/// Of a version the two numbers that say what a kernel can do: figures of its patches are compared.
fn series(version: &str) -> String {
    let version = version.trim();
    let second_dot = version.match_indices('.').nth(1);
    second_dot.and_then(|(at, _)| version.get(..at)).unwrap_or(version).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_two_numbers() {
        assert_eq!(series("6.12.48+deb13-amd64\n"), "6.12");
        assert_eq!(series("7.0-rc1"), "7.0-rc1", "as it is, if it is named otherwise");
        assert_eq!(series(""), "");
    }

    #[test]
    fn fields_are_read_as_the_kernel_writes_them() {
        let text = "processor\t: 0\nmodel name\t: A CPU @ 2.00GHz\nmodel name\t: another\nMemTotal:  8 kB\n";
        assert_eq!(field(text, "model name"), Some("A CPU @ 2.00GHz"));
        assert_eq!((field(text, "MemTotal"), field(text, "x")), (Some("8 kB"), None));
        assert!(Machine::this().cores > 0);
    }
}
