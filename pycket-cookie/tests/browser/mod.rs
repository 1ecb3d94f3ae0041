//! The part of a browser that these tests need.

/// The `Cookie` header that a browser sends after it got this `Set-Cookie` header.
pub(crate) fn cookie_header(set_cookie: &str) -> String {
    set_cookie.split(';').next().unwrap().to_owned()
}
