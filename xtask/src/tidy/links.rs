//! Links in documents lead somewhere.

use super::Problem;

/// Checks the links of one document to files and headings; addresses on the network are not followed.
pub(super) fn check(file: &str, content: &str, exists: impl Fn(&str) -> bool) -> Vec<Problem> {
    if !file.ends_with(".md") {
        return Vec::new();
    }
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut problems = Vec::new();
    for (line, target) in links(content) {
        let (path, heading) = target.split_once('#').unwrap_or((&target, ""));
        if path.is_empty() {
            if !headings(content).iter().any(|slug| slug == heading) {
                problems.push(Problem::at(file, line, format!("no heading here is #{heading}")));
            }
        } else {
            let path = normal(folder, path);
            if !exists(&path) {
                problems.push(Problem::at(
                    file,
                    line,
                    format!("the link leads to {path}, which is not there"),
                ));
            }
        }
    }
    problems
}

/// Targets of `[text](target)` outside code, with their lines, but for those with a scheme.
fn links(content: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    let mut in_code = false;
    for (index, line) in content.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for part in prose.split("](").skip(1) {
            let Some((target, _)) = part.split_once(')') else { continue };
            let target = target.split_whitespace().next().unwrap_or_default();
            let is_address = target.contains("://") || target.starts_with("mailto:");
            if !target.is_empty() && !is_address {
                links.push((index + 1, target.to_owned()));
            }
        }
    }
    links
}

/// The anchors of the headings, as forges make them.
fn headings(content: &str) -> Vec<String> {
    let lines = content.lines().filter(|line| line.starts_with('#'));
    let slugs = lines.map(|line| {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    });
    slugs.collect()
}

/// A path from the root of the repository, without `.` and `..`.
fn normal(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(content: &str) -> Vec<String> {
        let there = ["docs/ARCHITECTURE.md", "README.md"];
        check("docs/a.md", content, |path| there.contains(&path)).into_iter().map(|p| p.to_string()).collect()
    }

    #[test]
    fn a_link_to_nothing_is_refused() {
        assert_eq!(texts("see\n[b](b.md)"), ["docs/a.md:2: the link leads to docs/b.md, which is not there"]);
        assert_eq!(texts("![p](screens/p.png)").len(), 1);
        assert_eq!(texts("[a](#gone)\n# Here").len(), 1);
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let content = "# A heading, here\n[a](ARCHITECTURE.md#map) [b](../README.md) [c](#a-heading-here)";
        assert_eq!(texts(content), [""; 0]);
    }

    #[test]
    fn code_and_addresses_are_not_followed() {
        assert_eq!(texts("`[x](y)` [z](https://example.org/)\n```\n[x](y)\n```"), [""; 0]);
    }
}
