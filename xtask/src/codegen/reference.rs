//! Reference pages from doc comments: what the types are, read from their source.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use syn::{Attribute, Field, Fields, GenericArgument, Item, ItemEnum, ItemStruct, PathArguments, Type};

use crate::repo::Repo;

const HEADER: &str = "<!-- Generated from the Rust types by `cargo xtask codegen`. Do not edit. -->\n";

/// The pages: text by name.
pub(super) fn files(repo: &Repo) -> Result<BTreeMap<String, String>> {
    let messages = ("messages.md".to_owned(), messages(repo)?);
    let metrics = ("metrics.md".to_owned(), super::metrics::page(repo, HEADER)?);
    let options = ("options.md".to_owned(), super::options::page(repo, HEADER)?);
    Ok(BTreeMap::from([messages, metrics, options]))
}

/// The doc comment of an item as one paragraph.
pub(super) fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(syn::MetaNameValue {
            path,
            value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }),
            ..
        }) if path.is_ident("doc") => Some(text.value().trim().to_owned()),
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn messages(repo: &Repo) -> Result<String> {
    let mut page = format!(
        "{HEADER}\n# Messages\n\n\
         One WebSocket carries all signalling of a participant. Every message is a JSON object with `type` and the\n\
         fields of that type; any message may carry `id`, and its answer carries the same text as `ref`. `trace`\n\
         (`traceparent`, `tracestate`) is passed through. The client always offers, the server always answers.\n\n\
         Messages marked *Added* go beyond the public packages and are sent only to a client that said `hello`.\n"
    );
    let client = items(repo, "crates/wire/src/client.rs")?;
    let server = items(repo, "crates/wire/src/server.rs")?;
    let words = items(repo, "crates/model/src/media.rs")?;
    let errors = items(repo, "crates/wire/src/error.rs")?;
    message_sections(&mut page, "From the client", find_enum(&client, "ClientMessage")?)?;
    message_sections(&mut page, "From the server", find_enum(&server, "ServerMessage")?)?;
    page.push_str("\n## Types in messages\n");
    let messages = ["ClientMessage", "ServerMessage", "CloseCode"];
    type_sections(&mut page, client.iter().chain(&server).chain(&words), &messages)?;
    page.push_str("\n## Errors\n");
    type_sections(&mut page, errors.iter(), &messages)?;
    close_codes(&mut page, find_enum(&errors, "CloseCode")?)?;
    page.push_str("\n## REST bodies\n");
    type_sections(&mut page, items(repo, "crates/wire/src/rest.rs")?.iter(), &[])?;
    page.push_str("\n## REST bodies of Meet\n");
    type_sections(&mut page, items(repo, "crates/wire/src/meet.rs")?.iter(), &[])?;
    Ok(page)
}

fn items(repo: &Repo, path: &str) -> Result<Vec<Item>> {
    Ok(syn::parse_file(&repo.read(path)?).with_context(|| path.to_owned())?.items)
}

fn find_enum<'a>(items: &'a [Item], name: &str) -> Result<&'a ItemEnum> {
    let found = items.iter().find_map(|item| match item {
        Item::Enum(item) if item.ident == name => Some(item),
        _ => None,
    });
    found.with_context(|| format!("there is no enum {name} any more"))
}

/// A section with one entry for each variant of a message enum.
fn message_sections(page: &mut String, title: &str, messages: &ItemEnum) -> Result<()> {
    write!(page, "\n## {title}\n")?;
    for variant in &messages.variants {
        let docs = docs(&variant.attrs);
        ensure!(!docs.is_empty(), "{}::{} says nothing", messages.ident, variant.ident);
        let docs = docs.replacen("Added:", "*Added.*", 1);
        write!(page, "\n### `{}`\n\n{docs}\n", snake_case(&variant.ident.to_string()))?;
        fields(page, &variant.fields)?;
    }
    Ok(())
}

/// A section for each public struct and enum.
fn type_sections<'a>(page: &mut String, items: impl Iterator<Item = &'a Item>, skip: &[&str]) -> Result<()> {
    for item in items {
        match item {
            Item::Struct(item) if is_public(&item.vis) => struct_section(page, item)?,
            Item::Enum(item) if is_public(&item.vis) && !skip.contains(&item.ident.to_string().as_str()) => {
                enum_section(page, item)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn struct_section(page: &mut String, item: &ItemStruct) -> Result<()> {
    write!(page, "\n### {}\n\n{}\n", item.ident, docs(&item.attrs))?;
    fields(page, &item.fields)
}

fn enum_section(page: &mut String, item: &ItemEnum) -> Result<()> {
    write!(page, "\n### {}\n\n{}\n\n", item.ident, docs(&item.attrs))?;
    let lower = attribute_text(&item.attrs).contains("lowercase");
    let tagged = attribute_text(&item.attrs).contains("tag");
    for variant in &item.variants {
        let name = variant.ident.to_string();
        let name = if lower { name.to_lowercase() } else { snake_case(&name) };
        let name = if tagged { format!("type: {name}") } else { format!("\"{name}\"") };
        writeln!(page, "- `{name}`: {}", docs(&variant.attrs))?;
        for field in &variant.fields {
            let (name, kind, docs) = field_row(field);
            writeln!(page, "  - `{name}` ({kind}): {docs}")?;
        }
    }
    Ok(())
}

fn close_codes(page: &mut String, item: &ItemEnum) -> Result<()> {
    use wire::CloseCode::{Final, Restart, TryAgainLater};
    write!(page, "\n### Close codes\n\n{}\n\n", docs(&item.attrs))?;
    let known = [("Restart", Restart), ("TryAgainLater", TryAgainLater), ("Final", Final)];
    for variant in &item.variants {
        let name = variant.ident.to_string();
        let code = known.iter().find(|(known, _)| *known == name).with_context(|| name.clone())?.1.code();
        // The doc comments begin with the code.
        let docs = docs(&variant.attrs);
        ensure!(docs.starts_with(&code.to_string()), "the doc comment of {name} does not begin with {code}");
        writeln!(page, "- {docs}")?;
    }
    Ok(())
}

/// A table of named fields, if there are any.
fn fields(page: &mut String, fields: &Fields) -> Result<()> {
    if fields.is_empty() {
        return Ok(());
    }
    page.push_str("\n| field | type | |\n|---|---|---|\n");
    for field in fields {
        let (name, kind, docs) = field_row(field);
        writeln!(page, "| `{name}` | {kind} | {} |", docs.replace('|', "\\|"))?;
    }
    Ok(())
}

fn field_row(field: &Field) -> (String, String, String) {
    let attributes = attribute_text(&field.attrs);
    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut kind = type_text(&field.ty);
    if attributes.contains("skip_serializing_if") {
        kind = format!("{}, optional", kind.trim_end_matches(" or null"));
    }
    if attributes.contains("flatten") {
        kind = format!("the fields of {kind}");
    }
    (name, kind, docs(&field.attrs))
}

/// All attributes as text, to look for a word in.
fn attribute_text(attributes: &[Attribute]) -> String {
    let lists = attributes.iter().filter_map(|attribute| match &attribute.meta {
        syn::Meta::List(list) => Some(list.tokens.to_string()),
        _ => None,
    });
    lists.collect::<Vec<_>>().join(" ")
}

/// A Rust type in the words of JSON.
fn type_text(kind: &Type) -> String {
    let Type::Path(path) = kind else { return "value".to_owned() };
    let Some(last) = path.path.segments.last() else { return "value".to_owned() };
    let inner: Vec<String> = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => {
            let types = arguments.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(kind) => Some(type_text(kind)),
                _ => None,
            });
            types.collect()
        }
        _ => Vec::new(),
    };
    match (last.ident.to_string().as_str(), inner.as_slice()) {
        ("Option", [one]) => format!("{one} or null"),
        ("Vec", [one]) => format!("list of {one}"),
        ("BTreeMap" | "HashMap", [key, value]) => format!("object: {value} by {key}"),
        ("Map", _) => "object".to_owned(),
        ("String" | "MessageId", _) => "string".to_owned(),
        ("bool", _) => "boolean".to_owned(),
        ("u8" | "u16" | "u32" | "u64" | "i32" | "i64" | "f64", _) => "number".to_owned(),
        ("Value", _) => "any JSON".to_owned(),
        (name, _) => name.to_owned(),
    }
}

/// `RequestStream` → `request_stream`, as serde writes it.
fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for (index, c) in name.char_indices() {
        if c.is_uppercase() && index > 0 {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_serde_writes_them() {
        for (variant, name) in [("Ping", "ping"), ("RequestStream", "request_stream")] {
            assert_eq!(snake_case(variant), name);
        }
        for name in wire::ClientMessage::TYPES {
            assert_eq!(*name, name.to_lowercase());
        }
    }

    #[test]
    fn types_are_in_the_words_of_json() {
        let text = |source: &str| type_text(&syn::parse_str(source).unwrap());
        assert_eq!(text("Option<Rid>"), "Rid or null");
        assert_eq!(text("BTreeMap<Mid, Vec<u16>>"), "object: list of number by Mid");
    }

    #[test]
    fn a_message_without_words_is_refused() {
        let silent = syn::parse_str("pub enum M { /// Said.\n A {}, B {} }").unwrap();
        let error = message_sections(&mut String::new(), "T", &silent).unwrap_err();
        assert!(error.to_string().contains("M::B says nothing"), "{error}");
    }
}
