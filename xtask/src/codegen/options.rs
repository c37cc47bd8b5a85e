//! The reference page of options, read from the program's one list of them.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, Lit};

use crate::repo::Repo;

/// Where the options are listed.
const SOURCE: &str = "crates/althing/src/config/spec.rs";

/// An option.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    name: String,
    value_name: String,
    many: bool,
    default: String,
    help: String,
}

/// The page; `header` says that it is generated.
pub(super) fn page(repo: &Repo, header: &str) -> Result<String> {
    let options = listed(&repo.read(SOURCE)?).context(SOURCE)?;
    ensure!(!options.is_empty(), "{SOURCE} lists no option");
    let mut page = format!(
        "{header}\n# Options\n\n\
         `--data-dir` is `ALTHING_DATA_DIR` in the environment and `data_dir` in the TOML file; likewise every option.\n\
         The command line counts before the environment, the environment before the file. `--config FILE`, or\n\
         `ALTHING_CONFIG`, names the file; an unknown key in it is refused with its line.\n\n\
         | option | default | |\n|---|---|---|\n"
    );
    for Listed { name, value_name, many, default, help } in options {
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        let several =
            if many { ". Several: repeat it; commas in the environment, a list in TOML" } else { "" };
        let value_name = value_name.replace('|', "\\|");
        writeln!(page, "| `--{name}` {value_name} | {default} | {help}{several} |")?;
    }
    Ok(page)
}

/// Calls of `one` and `many` with four texts: name, value, default, help.
fn listed(source: &str) -> Result<Vec<Listed>> {
    let mut finder = Finder(Vec::new());
    finder.visit_file(&syn::parse_file(source)?);
    Ok(finder.0)
}

struct Finder(Vec<Listed>);

impl Visit<'_> for Finder {
    fn visit_expr_call(&mut self, call: &ExprCall) {
        let many = match &*call.func {
            Expr::Path(path) if path.path.is_ident("one") => false,
            Expr::Path(path) if path.path.is_ident("many") => true,
            _ => return visit::visit_expr_call(self, call),
        };
        let texts: Vec<String> = call.args.iter().filter_map(text).collect();
        if let [name, value_name, default, help] = texts.as_slice() {
            let [name, value_name, default, help] = [name, value_name, default, help].map(String::clone);
            self.0.push(Listed { name, value_name, many, default, help });
        }
    }
}

fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_in_the_list() {
        let source = r#"const SPECS: &[Spec] = &[
            one("http", "ADDR|off", "127.0.0.1:8080", "Address"),
            many("role", "ROLE", "", "Role"),
        ];"#;
        let found = listed(source).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name.as_str(), found[0].many), ("http", false));
        assert_eq!((found[1].help.as_str(), found[1].many), ("Role", true));
    }
}
