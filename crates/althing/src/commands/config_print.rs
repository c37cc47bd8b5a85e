//! `althing config print`: every option, its value, and where that comes from; as a TOML file that can be used.

use std::io::Write;

use crate::cli::Options;
use crate::config::{Layers, Setting};

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let layers = Layers::load(options, |name| std::env::var(name).ok())?;
    let lines: Vec<_> = layers.settings().iter().map(line).collect();
    writeln!(std::io::stdout(), "{}", lines.join("\n"))?;
    // Printed even so: what is wrong is easier to find in the whole.
    crate::config::Config::read(&layers)?;
    Ok(())
}

fn line(setting: &Setting) -> String {
    let key = setting.spec.toml();
    let origin = &setting.origin;
    let quoted = |text: &String| toml::Value::String(text.clone()).to_string();
    let value = match setting.values.as_slice() {
        [] => return format!("# {key} is not set: {}", setting.spec.help),
        values if setting.spec.many => {
            format!("[{}]", values.iter().map(quoted).collect::<Vec<_>>().join(", "))
        }
        [.., last] => quoted(last),
    };
    format!("{:<48} # {origin}", format!("{key} = {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_printed_with_its_origin() {
        let values = [("http", vec!["off".to_owned()]), ("advertise-ip", vec!["192.0.2.1".to_owned()])];
        let options = Options { file: None, values: values.into() };
        let layers =
            Layers::load(&options, |name| (name == "ALTHING_UNITS").then(|| "2".to_owned())).unwrap();
        let lines: Vec<_> = layers.settings().iter().map(line).collect();
        let words = |key: &str| {
            let line = lines.iter().find(|l| l.starts_with(key)).unwrap();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(words("http "), "http = \"off\" # --http");
        assert_eq!(words("units"), "units = \"2\" # ALTHING_UNITS");
        assert_eq!(words("advertise_ip"), "advertise_ip = [\"192.0.2.1\"] # --advertise-ip");
        assert_eq!(words("log "), "log = \"info\" # default");
        assert!(lines.iter().any(|l| l.starts_with("# public_url is not set")));
        assert_eq!(lines.len(), crate::config::SPECS.len());
    }
}
