use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};

/// Keeps shared caches from storing a response (RFC 9111, section 5.2.2.7). What the handler says to the
/// browser's own cache stays.
pub(crate) fn make_private(headers: &mut HeaderMap) {
    let targeted: Vec<_> =
        headers.keys().filter(|name| is_for_shared_caches(name)).cloned().collect();
    for name in targeted {
        headers.remove(name);
    }
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    let mut kept: Vec<&str> = lines.flat_map(directives).filter(|d| !is_about_sharing(d)).collect();
    let has = |name| kept.iter().any(|directive| directive.eq_ignore_ascii_case(name));
    // Caches may ignore `no-store` beside `must-understand`.
    let is_private = has("private") || has("no-store") && !has("must-understand");
    if !is_private {
        // First, so that no unclosed quote hides it.
        kept.insert(0, "private");
    }
    let value = HeaderValue::try_from(kept.join(", "));
    headers.insert(CACHE_CONTROL, value.unwrap_or(HeaderValue::from_static("private")));
}

/// Whether only shared caches read the header, and some prefer it to `Cache-Control`: targeted fields
/// (RFC 9213) such as `CDN-Cache-Control`, and those of Edge Architecture, Akamai and nginx.
fn is_for_shared_caches(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.ends_with("-cache-control")
        || ["surrogate-control", "edge-control", "x-accel-expires"].contains(&name)
}

/// The directives of a header line. A comma between quotes belongs to a directive.
fn directives(line: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = line.split(move |c| {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        c == ',' && !is_quoted
    });
    parts.map(str::trim).filter(|directive| !directive.is_empty())
}

/// Whether the directive is for shared caches only. `private` with names of headers lets them store the rest.
fn is_about_sharing(directive: &str) -> bool {
    let (name, argument) = match directive.split_once('=') {
        Some((name, argument)) => (name.trim_end(), Some(argument)),
        None => (directive, None),
    };
    let is = |other| name.eq_ignore_ascii_case(other);
    is("public") || is("s-maxage") || is("proxy-revalidate") || is("private") && argument.is_some()
}
