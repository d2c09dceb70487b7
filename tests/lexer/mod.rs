//! Rust's tokens, as far as finding paths needs them: comments, strings and characters are left out.

/// The identifiers, `::`, and single other characters of `source`.
pub(crate) fn tokens(source: &str) -> Vec<String> {
    let mut rest = source;
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let skipped = skip_comment(rest).or_else(|| skip_literal(rest));
        let length = if let Some(length) = skipped {
            length
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(rest[..length].into());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".into());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.into());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of the comment that `text` begins with.
fn skip_comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let mut depth = 0_usize;
    let mut i = 0;
    while text.starts_with("/*") && i < text.len() {
        match &text.as_bytes()[i..] {
            [b'/', b'*', ..] => (depth, i) = (depth + 1, i + 2),
            [b'*', b'/', ..] => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return Some(i);
        }
    }
    None
}

/// The length of the string or character, with its prefix, or of the lifetime's tick that `text` begins with.
fn skip_literal(text: &str) -> Option<usize> {
    let prefix = text.find(|c: char| !"bcr".contains(c))?;
    let body = &text[prefix..];
    if text[..prefix].ends_with('r') {
        let hashes = body.find(|c| c != '#')?;
        let inside = body[hashes..].strip_prefix('"')?;
        let end = inside.find(&format!("\"{}", &body[..hashes]))?;
        return Some(prefix + hashes + 1 + end + 1 + hashes);
    }
    match body.chars().next()? {
        '"' => Some(prefix + quoted(body, '"')?),
        '\'' => {
            let mut inside = body[1..].chars();
            let character = inside.next() == Some('\\') || inside.next() == Some('\'');
            Some(prefix + if character { quoted(body, '\'')? } else { 1 })
        }
        _ => None,
    }
}

/// The length of what stands between two `quote`s, they included.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    let end = text[1..].find(|c| {
        let end = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        end
    })?;
    Some(end + 2)
}
