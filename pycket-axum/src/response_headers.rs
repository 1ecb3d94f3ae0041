use http::Response;
use http::header::{HeaderValue, SET_COOKIE, VARY};

use crate::cache_control::make_private;

/// Adds the headers of a response that depends on the session.
///
/// They keep a shared cache from giving one client's cookie (RFC 9111, section 7.3) or page (section 4.1)
/// to another client.
pub(crate) fn add_headers<B>(response: &mut Response<B>, set_cookie: Option<String>) {
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("cookie"));
    // The cookie crate writes visible ASCII and spaces only, so the conversion cannot fail.
    if let Some(Ok(mut cookie)) = set_cookie.map(HeaderValue::try_from) {
        cookie.set_sensitive(true);
        headers.append(SET_COOKIE, cookie);
        make_private(headers);
    }
}
