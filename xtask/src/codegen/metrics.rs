//! The reference page of metrics, read from where they are registered.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, Lit};

use crate::repo::Repo;

/// A registered metric.
#[derive(Debug, PartialEq, Eq)]
struct Metric {
    name: String,
    kind: &'static str,
    help: String,
}

/// The page; `header` says that it is generated.
pub(super) fn page(repo: &Repo, header: &str) -> Result<String> {
    let mut metrics = Vec::new();
    for file in repo.files()? {
        let in_crate = file.starts_with("crates/") && file.contains("/src/");
        if in_crate && file.ends_with(".rs") {
            metrics.extend(registered(&repo.read(&file)?).with_context(|| file.clone())?);
        }
    }
    metrics.sort_by(|a, b| a.name.cmp(&b.name));
    let mut page = format!(
        "{header}\n# Metrics\n\n\
         `GET /metrics` answers in the text format of OpenMetrics. Units are in the names.\n\n\
         | name | kind | |\n|---|---|---|\n"
    );
    for Metric { name, kind, help } in metrics {
        writeln!(page, "| `{name}` | {kind} | {help} |")?;
    }
    Ok(page)
}

/// Metrics that a file registers by `registry.register("name", "help", metric)`, with the prefix of the registry.
fn registered(source: &str) -> Result<Vec<Metric>> {
    let file = syn::parse_file(source)?;
    let mut types = FieldTypes::default();
    types.visit_file(&file);
    let mut finder =
        Registrations { types: types.kinds, table_prefix: table_prefix(source), ..Registrations::default() };
    finder.visit_file(&file);
    for metric in &finder.found {
        ensure!(!metric.help.is_empty(), "the metric {} says nothing", metric.name);
    }
    Ok(finder.found)
}

/// What kind of metric each field is.
#[derive(Default)]
struct FieldTypes {
    kinds: BTreeMap<String, &'static str>,
}

impl Visit<'_> for FieldTypes {
    fn visit_field(&mut self, field: &syn::Field) {
        let Some(name) = &field.ident else { return };
        let mut kind = KindOfType(None);
        kind.visit_type(&field.ty);
        if let Some(kind) = kind.0 {
            self.kinds.insert(name.to_string(), kind);
        }
    }
}

/// The innermost name of a type that is a kind of metric: `Family<Labels, Counter>` is a counter.
struct KindOfType(Option<&'static str>);

impl Visit<'_> for KindOfType {
    fn visit_path_segment(&mut self, segment: &syn::PathSegment) {
        let kinds = [("Counter", "counter"), ("Gauge", "gauge"), ("Histogram", "histogram")];
        if let Some((_, kind)) = kinds.iter().find(|(name, _)| segment.ident == name) {
            self.0 = Some(kind);
        }
        visit::visit_path_segment(self, segment);
    }
}

/// The prefix that a collector gives to the names of its table: `format!("althing_media_{name}")`.
fn table_prefix(source: &str) -> Option<String> {
    let (before, _) = source.split_once("_{name}\"")?;
    before.rsplit_once('"').map(|(_, prefix)| prefix.to_owned())
}

#[derive(Default)]
struct Registrations {
    types: BTreeMap<String, &'static str>,
    prefix: Option<String>,
    table_prefix: Option<String>,
    /// Texts that have a name: `let help = "…"`.
    texts: BTreeMap<String, String>,
    found: Vec<Metric>,
}

impl Visit<'_> for Registrations {
    fn visit_item_fn(&mut self, item: &syn::ItemFn) {
        self.prefix = None;
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &syn::ImplItemFn) {
        self.prefix = None;
        visit::visit_impl_item_fn(self, item);
    }

    /// A table of totals that a collector encodes: `const TOTALS: … = &[("name", "help", value), …]`.
    fn visit_expr_tuple(&mut self, tuple: &syn::ExprTuple) {
        let texts: Vec<String> = tuple.elems.iter().take(2).filter_map(text).collect();
        if let (Some(prefix), [name, help], 3) = (&self.table_prefix, texts.as_slice(), tuple.elems.len()) {
            self.found.push(Metric {
                name: format!("{prefix}_{name}_total"),
                kind: "counter",
                help: help.clone(),
            });
        }
        visit::visit_expr_tuple(self, tuple);
    }

    fn visit_local(&mut self, local: &syn::Local) {
        let value = local.init.as_ref().and_then(|init| text(&init.expr));
        if let (syn::Pat::Ident(name), Some(value)) = (&local.pat, value) {
            self.texts.insert(name.ident.to_string(), value);
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        // What the registry is taken from comes first.
        visit::visit_expr_method_call(self, call);
        let arguments: Vec<&Expr> = call.args.iter().collect();
        match (call.method.to_string().as_str(), arguments.as_slice()) {
            ("sub_registry_with_prefix", [prefix]) => self.prefix = text(prefix),
            ("register" | "register_collector", [name, help, metric]) => {
                let (Some(name), Some(help)) = (text(name), text(help)) else { return };
                let kind = field_name(metric).and_then(|field| self.types.get(&field).copied());
                self.push(name, help, kind.unwrap_or("gauge"));
            }
            ("encode_descriptor", [name, help, _, kind]) => {
                let help = text(help).or_else(|| self.texts.get(&field_name(help)?).cloned());
                let (Some(name), Some(help)) = (text(name), help) else { return };
                let is_histogram = field_name(kind).is_some_and(|kind| kind == "histogram");
                let kind = if is_histogram { "histogram" } else { "gauge" };
                self.found.push(Metric { name, kind, help });
            }
            _ => {}
        }
    }
}

impl Registrations {
    fn push(&mut self, name: String, help: String, kind: &'static str) {
        let prefix = self.prefix.as_ref().map(|prefix| format!("{prefix}_")).unwrap_or_default();
        // As OpenMetrics writes counters.
        let suffix = if kind == "counter" { "_total" } else { "" };
        self.found.push(Metric { name: format!("{prefix}{name}{suffix}"), kind, help });
    }
}

fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// `m.requests.clone()` → `requests`; `requests` → `requests`.
fn field_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::MethodCall(call) => field_name(&call.receiver),
        Expr::Field(syn::ExprField { member: syn::Member::Named(name), .. }) => Some(name.to_string()),
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
        struct Metrics { requests: Family<Labels, Counter>, open: Gauge }
        impl Metrics {
            fn register(registry: &mut Registry) {
                let to = registry.sub_registry_with_prefix("althing");
                to.register("requests", "HTTP requests", m.requests.clone());
                to.register("open", "Open now", m.open.clone());
            }
        }
        fn other() { bus.register("name"); }
    "#;

    #[test]
    fn metrics_are_found_where_they_are_registered() {
        let found = registered(SOURCE).unwrap();
        let texts: Vec<String> = found.iter().map(|m| format!("{} {} {}", m.name, m.kind, m.help)).collect();
        assert_eq!(texts, ["althing_requests_total counter HTTP requests", "althing_open gauge Open now"]);
    }

    #[test]
    fn metrics_of_a_collector_are_found() {
        let source = r#"
            const TOTALS: &[Total] = &[("packets", "RTP packets", |u| u.packets)];
            fn encode() {
                let name = format!("althing_media_{name}");
                encoder.encode_descriptor(&name, help, None, counter)?;
                let help = "Share of one core";
                encoder.encode_descriptor("althing_media_load", help, None, gauge)?;
            }
        "#;
        let names: Vec<String> = registered(source).unwrap().into_iter().map(|m| m.name).collect();
        assert_eq!(names, ["althing_media_packets_total", "althing_media_load"]);
    }

    #[test]
    fn a_metric_without_words_is_refused() {
        assert!(registered(&SOURCE.replace("Open now", "")).is_err());
    }
}
