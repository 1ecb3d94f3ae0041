//! What a browser does with a `Set-Cookie` header, as far as these tests need it.

/// The `Cookie` header that it sends back.
pub(crate) fn sends_back(set_cookie: &str) -> String {
    set_cookie.split(';').next().unwrap().to_owned()
}
