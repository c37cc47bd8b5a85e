//! Rules for manifests: licence, lints, exact versions, hosts, no toolchain file.

use serde_json::Value as Json;

use super::Problem;

/// Our licence, in every manifest.
const LICENSE: &str = "MIT OR Apache-2.0";

/// Checks one file, if it is a manifest or a lock file of npm.
pub(super) fn check(file: &str, content: &str) -> Vec<Problem> {
    let texts = match file.rsplit('/').next().unwrap_or(file) {
        "Cargo.toml" => cargo(content),
        "package.json" => npm(content),
        "package-lock.json" => npm_lock(content),
        _ => Vec::new(),
    };
    texts.into_iter().map(|text| Problem::of_file(file, text)).collect()
}

/// Checks which files there are.
pub(super) fn check_names(files: &[String]) -> Vec<Problem> {
    let is_toolchain =
        |file: &&String| matches!(file.rsplit('/').next(), Some("rust-toolchain" | "rust-toolchain.toml"));
    let text = "makes rustup fetch a toolchain; `rust-version` in Cargo.toml says what is needed";
    files.iter().filter(is_toolchain).map(|file| Problem::of_file(file, text)).collect()
}

fn cargo(content: &str) -> Vec<String> {
    let Ok(manifest) = content.parse::<toml::Table>() else { return vec!["is no TOML".to_owned()] };
    let mut problems = Vec::new();
    if let Some(package) = manifest.get("package") {
        if !inherits(package.get("license"))
            && package.get("license").and_then(|l| l.as_str()) != Some(LICENSE)
        {
            problems.push(format!("states no licence; write `license.workspace = true` ({LICENSE})"));
        }
        if !inherits(manifest.get("lints")) {
            problems.push(
                "does not take the lints of the workspace; write `[lints] workspace = true`".to_owned(),
            );
        }
    }
    problems
}

fn inherits(value: Option<&toml::Value>) -> bool {
    value.and_then(|v| v.get("workspace")).and_then(toml::Value::as_bool) == Some(true)
}

fn npm(content: &str) -> Vec<String> {
    let Ok(manifest) = serde_json::from_str::<Json>(content) else { return vec!["is no JSON".to_owned()] };
    let mut problems = Vec::new();
    if manifest.get("license").and_then(Json::as_str) != Some(LICENSE) {
        problems.push(format!("states no licence; write \"license\": \"{LICENSE}\""));
    }
    for kind in ["dependencies", "devDependencies", "optionalDependencies"] {
        for (name, version) in manifest.get(kind).and_then(Json::as_object).into_iter().flatten() {
            let version = version.as_str().unwrap_or_default();
            if !version.starts_with(|c: char| c.is_ascii_digit()) || version.contains([' ', '|', 'x', '*']) {
                problems.push(format!("{name} has the version {version:?}; write an exact one"));
            }
        }
    }
    problems
}

/// A lock file may name no host but the public registry, or it works in one place only.
fn npm_lock(content: &str) -> Vec<String> {
    let Ok(lock) = serde_json::from_str::<Json>(content) else { return vec!["is no JSON".to_owned()] };
    let packages = lock.get("packages").and_then(Json::as_object).into_iter().flatten();
    let foreign = packages.filter(|(_, package)| {
        let resolved = package.get("resolved").and_then(Json::as_str);
        resolved.is_some_and(|url| url.contains("://") && !url.starts_with("https://registry.npmjs.org/"))
    });
    foreign.map(|(name, _)| format!("{name} is resolved from a host of its own")).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_states_licence_and_lints() {
        let good = "[package]\nname = \"a\"\nlicense.workspace = true\n[lints]\nworkspace = true\n";
        assert!(check("crates/a/Cargo.toml", good).is_empty());
        assert_eq!(check("crates/a/Cargo.toml", "[package]\nname = \"a\"\n").len(), 2);
        assert!(check("Cargo.toml", "[workspace]\n").is_empty());
    }

    #[test]
    fn versions_of_npm_packages_are_exact() {
        let manifest = |version: &str| {
            format!(r#"{{"license": "{LICENSE}", "devDependencies": {{"vite": "{version}"}}}}"#)
        };
        assert!(check("web/package.json", &manifest("8.3.8")).is_empty());
        for version in ["^8.3.8", "~8", "8.x", "latest", ">=8 <9", "*"] {
            assert_eq!(check("web/package.json", &manifest(version)).len(), 1, "{version}");
        }
        assert_eq!(check("web/package.json", "{}").len(), 1);
    }

    #[test]
    fn a_lock_file_names_no_mirror() {
        let lock = |url: &str| format!(r#"{{"packages": {{"node_modules/a": {{"resolved": "{url}"}}}}}}"#);
        assert!(check("web/package-lock.json", &lock("https://registry.npmjs.org/a/-/a-1.tgz")).is_empty());
        assert!(check("web/package-lock.json", &lock("packages/wire")).is_empty());
        assert_eq!(check("web/package-lock.json", &lock("http://mirror.example/a.tgz")).len(), 1);
    }

    #[test]
    fn no_file_fetches_a_toolchain() {
        assert_eq!(check_names(&["rust-toolchain.toml".to_owned(), "Cargo.toml".to_owned()]).len(), 1);
    }
}
