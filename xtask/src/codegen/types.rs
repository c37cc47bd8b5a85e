//! TypeScript types of everything on the wire, one file per Rust module.

use std::any::{TypeId, type_name};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use ts_rs::{Config, TS, TypeVisitor};

use super::format;
use crate::repo::Repo;

const HEADER: &str = "// Generated from the Rust types by `cargo xtask codegen`. Do not edit.\n";

/// One declared type.
struct Declared {
    module: String,
    text: String,
    needs: BTreeSet<String>,
}

/// The files: text by name.
pub(super) fn files(repo: &Repo) -> Result<BTreeMap<String, String>> {
    let declared = collect();
    ensure_complete(repo, &declared)?;
    let mut files = BTreeMap::new();
    let modules: BTreeSet<&str> = declared.values().map(|d| d.module.as_str()).collect();
    for module in &modules {
        files.insert(format!("{module}.ts"), module_file(module, &declared)?);
    }
    append_envelope(&mut files);
    append_close_codes(&mut files);
    files.insert("limits.ts".to_owned(), limits_file(&repo.read("crates/model/src/limits.rs")?)?);
    let mut index = format!("{HEADER}\n");
    for name in files.keys() {
        let module = name.trim_end_matches(".ts");
        writeln!(index, "export * from './{module}.js';")?;
    }
    files.insert("index.ts".to_owned(), index);
    Ok(files)
}

/// Every type that can be reached from the messages and the REST bodies.
fn collect() -> BTreeMap<String, Declared> {
    let mut visitor = Collector { config: config(), seen: BTreeMap::new() };
    visitor.visit::<wire::ClientMessage>();
    visitor.visit::<wire::ServerMessage>();
    visitor.visit::<wire::Trace>();
    visitor.visit::<model::MediaKind>();
    visitor.visit::<wire::rest::ErrorBody>();
    visitor.visit::<wire::rest::AccessToken>();
    visitor.visit::<wire::rest::Meeting>();
    visitor.visit::<wire::rest::Page<wire::rest::Meeting>>();
    visitor.visit::<wire::rest::Participant>();
    visitor.visit::<wire::rest::ParticipantWithSecret>();
    visitor.visit::<wire::rest::JoinRequest>();
    visitor.visit::<wire::rest::JoinDetails>();
    visitor.visit::<wire::meet::NewRoom>();
    visitor.visit::<wire::meet::Guest>();
    visitor.visit::<wire::meet::Info>();
    visitor.seen
}

fn config() -> Config {
    Config::new().with_large_int("number")
}

struct Collector {
    config: Config,
    seen: BTreeMap<String, Declared>,
}

impl TypeVisitor for Collector {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if T::output_path().is_none() {
            return;
        }
        let name = T::ident(&self.config);
        if self.seen.contains_key(&name) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        let text = format!("{docs}export {}", T::decl(&self.config));
        let needs = T::dependencies(&self.config)
            .into_iter()
            .filter(|d| d.type_id != TypeId::of::<T>())
            .map(|d| d.ts_name)
            .collect();
        self.seen.insert(name, Declared { module: module_of(type_name::<T>()), text, needs });
        T::visit_dependencies(self);
    }
}

/// `wire::server::Slot` → `server`; `wire::rest::Page<wire::rest::Meeting>` → `rest`.
fn module_of(path: &str) -> String {
    let path = path.split('<').next().unwrap_or(path);
    let mut parts = path.rsplit("::").skip(1);
    parts.next().unwrap_or("index").to_owned()
}

fn module_file(module: &str, declared: &BTreeMap<String, Declared>) -> Result<String> {
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut body = String::new();
    for one in declared.values().filter(|d| d.module == module) {
        for name in &one.needs {
            // What a generic type is given is imported where it is named, not where it is declared.
            let mentioned = one.text.split(|c: char| !c.is_alphanumeric()).any(|word| word == name);
            let from = declared.get(name).with_context(|| format!("{name} is not declared"))?;
            if mentioned && from.module != module {
                imports.entry(&from.module).or_default().insert(name);
            }
        }
        write!(body, "\n{}", format::pretty(&one.text))?;
    }
    let mut text = HEADER.to_owned();
    if !imports.is_empty() {
        text.push('\n');
    }
    for (from, names) in imports {
        let names: Vec<&str> = names.into_iter().collect();
        writeln!(text, "import type {{ {} }} from './{from}.js';", names.join(", "))?;
    }
    text.push_str(&body);
    Ok(text)
}

/// The envelope is generic over a flattened field, which derives cannot say.
fn append_envelope(files: &mut BTreeMap<String, String>) {
    let text = files.entry("envelope.ts".to_owned()).or_insert_with(|| HEADER.to_owned());
    text.push_str(
        "\n/** A message with its envelope: its own id, the id of the message that it answers, trace context. */\n\
         export type Envelope<Message> = Message & { id?: string; ref?: string; trace?: Trace };\n",
    );
}

fn append_close_codes(files: &mut BTreeMap<String, String>) {
    use wire::CloseCode::{Final, Restart, TryAgainLater};
    let text = files.entry("error.ts".to_owned()).or_insert_with(|| HEADER.to_owned());
    text.push_str(
        "\n/** Codes with which the server closes a WebSocket: 4999 is final, at the others come back. */\n",
    );
    text.push_str("export const CLOSE_CODES = {\n");
    for (name, code) in [("restart", Restart), ("tryAgainLater", TryAgainLater), ("final", Final)] {
        text.push_str(&format!("  {name}: {},\n", code.code()));
    }
    text.push_str("} as const;\n");
}

/// The bounds that client and server must agree on. Sizes only: a duration has no form that both languages share.
fn limits_file(source: &str) -> Result<String> {
    let file = syn::parse_file(source).context("limits.rs")?;
    let mut text = HEADER.to_owned();
    for item in &file.items {
        let syn::Item::Const(constant) = item else { continue };
        if constant.ident == "_" {
            continue;
        }
        let docs = super::reference::docs(&constant.attrs);
        let value = product(&constant.expr)
            .with_context(|| format!("the value of {} is no product of numbers", constant.ident))?;
        write!(text, "\n/** {docs} */\nexport const {} = {value};\n", constant.ident)?;
    }
    Ok(text)
}

/// The value of a number or of a product of numbers.
fn product(expression: &syn::Expr) -> Option<u64> {
    match expression {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => number.base10_parse().ok(),
        syn::Expr::Binary(syn::ExprBinary { left, op: syn::BinOp::Mul(_), right, .. }) => {
            product(left)?.checked_mul(product(right)?)
        }
        _ => None,
    }
}

/// Each type that derives `TS` must be reachable from [`collect`], or it would be missing silently.
fn ensure_complete(repo: &Repo, declared: &BTreeMap<String, Declared>) -> Result<()> {
    let mut missing = Vec::new();
    for file in repo.files()? {
        let is_word = file.starts_with("crates/wire/src/") || file.starts_with("crates/model/src/");
        if !is_word || !file.ends_with(".rs") {
            continue;
        }
        for name in deriving_ts(&repo.read(&file)?).with_context(|| file.clone())? {
            if !declared.contains_key(&name) {
                missing.push(format!("{name} ({file})"));
            }
        }
    }
    ensure!(
        missing.is_empty(),
        "derives TS but nothing in xtask/src/codegen/types.rs reaches it: {}",
        missing.join(", ")
    );
    Ok(())
}

fn deriving_ts(source: &str) -> Result<Vec<String>> {
    let file = syn::parse_file(source)?;
    let names = file.items.iter().filter_map(|item| match item {
        syn::Item::Struct(item) if derives_ts(&item.attrs) => Some(item.ident.to_string()),
        syn::Item::Enum(item) if derives_ts(&item.attrs) => Some(item.ident.to_string()),
        _ => None,
    });
    Ok(names.collect())
}

fn derives_ts(attributes: &[syn::Attribute]) -> bool {
    let mut found = false;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("derive")) {
        // A derive that does not parse is the compiler's to report.
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|s| s.ident == "TS");
            Ok(())
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_come_from_the_path_of_a_type() {
        assert_eq!(module_of("wire::server::Slot"), "server");
        assert_eq!(module_of("wire::rest::Page<wire::rest::Meeting>"), "rest");
    }

    #[test]
    fn types_that_derive_are_found() {
        let source =
            "#[derive(Debug, TS)] struct A; #[derive(Debug)] struct B; #[derive(ts_rs::TS)] enum C {}";
        assert_eq!(deriving_ts(source).unwrap(), ["A", "C"]);
    }

    #[test]
    fn limits_are_numbers_with_their_reason() {
        let text = limits_file("/// Why.\npub const A: usize = 2 * 1_024;\nconst _: () = ();").unwrap();
        assert!(text.ends_with("\n/** Why. */\nexport const A = 2048;\n"), "{text}");
        assert!(limits_file("pub const B: usize = other();").is_err());
    }

    #[test]
    fn every_type_is_declared_once_and_can_be_imported() {
        let declared = collect();
        for (name, one) in &declared {
            for need in &one.needs {
                assert!(declared.contains_key(need), "{name} needs {need}");
            }
        }
        assert!(declared.contains_key("ServerMessage") && declared.contains_key("Layer"));
    }
}
