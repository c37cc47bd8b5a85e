//! Lays out one TypeScript declaration so that a change of one field is a change of one line.

/// Formats a declaration made of type literals, unions, names and comments, with a line for each field.
pub(super) fn pretty(declaration: &str) -> String {
    let tokens = tokens(declaration);
    let mut out = Printer { union: is_union(&tokens), ..Printer::default() };
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token.as_str() {
            "{" if tokens.peek().map(String::as_str) == Some("}") => {
                tokens.next();
                out.word("{}");
            }
            "{" if is_index(tokens.peek()) => out.inline_open(),
            "{" => out.open(),
            "}" => out.close(),
            "," | ";" => out.separator(&token),
            "=" if out.union => out.first_variant(),
            "|" if out.union && out.depth == 1 => out.variant(),
            name if tokens.peek().map(String::as_str) == Some(":") => out.word(unquoted(name)),
            comment if comment.starts_with("/*") => out.comment(comment),
            word => out.word(word),
        }
    }
    out.finish()
}

/// Whether the declaration is a union of variants, each of which gets its own lines.
fn is_union(tokens: &[String]) -> bool {
    let mut depth = 0_u32;
    let mut after_equals = false;
    tokens.iter().any(|token| {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            "=" => after_equals = true,
            "|" => return after_equals && depth == 0,
            _ => {}
        }
        false
    })
}

/// A quoted property name without its quotes, where it is an identifier.
fn unquoted(name: &str) -> &str {
    let inner = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
    inner.filter(|n| !n.is_empty() && n.chars().all(is_word)).unwrap_or(name)
}

fn is_index(token: Option<&String>) -> bool {
    token.is_some_and(|t| t == "[")
}

/// Comments, quoted texts, names, and single characters.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => rest.get(1..).and_then(|r| r.find('"')).map_or(rest.len(), |end| end + 2),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(len);
        tokens.push(token.to_owned());
        rest = after.trim_start();
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[derive(Default)]
struct Printer {
    text: String,
    union: bool,
    depth: usize,
    /// Depths at which `{` did not begin a new line.
    inline: Vec<usize>,
    line_start: bool,
}

impl Printer {
    fn finish(self) -> String {
        let text = self.text.trim();
        let end = if text.ends_with(';') { "" } else { ";" };
        format!("{text}{end}\n")
    }

    fn break_line(&mut self) {
        let trimmed = self.text.trim_end().len();
        self.text.truncate(trimmed);
        self.text.push('\n');
        self.text.push_str(&"  ".repeat(self.depth));
        self.line_start = true;
    }

    fn word(&mut self, word: &str) {
        let plain = word.strip_prefix('"').and_then(|w| w.strip_suffix('"'));
        let quoted = plain.map(|w| format!("'{w}'"));
        let word = quoted.as_deref().unwrap_or(word);
        let tight_before = matches!(word, ":" | "?" | ">" | "]" | "<" | ")") || self.line_start;
        let tight_before = tight_before || (word == "[" && !self.text.ends_with([':', '=', '{', ' ']));
        let tight_before = tight_before || self.text.ends_with(['<', '[', '(']);
        if !tight_before && !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
        self.text.push_str(word);
        self.line_start = false;
    }

    fn open(&mut self) {
        self.word("{");
        self.depth += 1;
        self.break_line();
    }

    fn inline_open(&mut self) {
        self.word("{");
        self.depth += 1;
        self.inline.push(self.depth);
        self.text.push(' ');
    }

    fn close(&mut self) {
        let inline = self.inline.last() == Some(&self.depth);
        self.depth = self.depth.saturating_sub(1);
        if inline {
            self.inline.pop();
            self.word("}");
        } else {
            self.break_line();
            self.text.push('}');
            self.line_start = false;
        }
    }

    fn separator(&mut self, separator: &str) {
        let in_literal = self.depth > 0 && !self.is_inside_brackets();
        if in_literal && self.inline.last() != Some(&self.depth) {
            self.text.push(';');
            self.break_line();
        } else if separator == ";" {
            self.text.push(';');
        } else if !self.text.trim_end().ends_with(['{', '}']) || self.is_inside_brackets() {
            self.text.push_str(", ");
        }
    }

    /// Whether the last open bracket is `<` or `[`, where a comma separates items and no fields.
    fn is_inside_brackets(&self) -> bool {
        let mut open: i32 = 0;
        for c in self.text.chars().rev() {
            match c {
                '>' | ']' | '}' => open += 1,
                '<' | '[' if open == 0 => return true,
                '{' if open == 0 => return false,
                '<' | '[' | '{' => open -= 1,
                _ => {}
            }
        }
        false
    }

    fn first_variant(&mut self) {
        self.word("=");
        self.depth += 1;
        self.variant();
    }

    fn variant(&mut self) {
        self.break_line();
        self.word("|");
    }

    fn comment(&mut self, comment: &str) {
        if !self.line_start && !self.text.is_empty() {
            self.break_line();
        }
        self.text.push_str(&joined(comment));
        self.break_line();
    }
}

/// A comment on one line where it fits.
fn joined(comment: &str) -> String {
    let inner = comment.trim_start_matches("/**").trim_start_matches("/*").trim_end_matches("*/");
    let lines = inner.lines().map(|line| line.trim().trim_start_matches('*').trim());
    let words: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    format!("/** {} */", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_get_lines_and_unions_get_lines() {
        let text =
            pretty(r#"export type A = { "type": "x", n: number, } | { "type": "y", list: Array<B>, };"#);
        assert_eq!(
            text,
            "export type A =\n  | {\n    type: 'x';\n    n: number;\n  }\n  | {\n    type: 'y';\n    list: Array<B>;\n  };\n"
        );
    }

    #[test]
    fn comments_stand_above_what_they_explain() {
        let text =
            pretty("/**\n * Why.\n * More.\n */\nexport type A = { \n/**\n * Which.\n */\nn: number, };");
        assert_eq!(text, "/** Why. More. */\nexport type A = {\n  /** Which. */\n  n: number;\n};\n");
    }

    #[test]
    fn maps_stay_on_a_line() {
        let text = pretty("export type A = { m: { [key in string]: B }, t: Record<string, never>, };");
        assert_eq!(
            text,
            "export type A = {\n  m: { [key in string]: B };\n  t: Record<string, never>;\n};\n"
        );
    }
}
