use http::Response;
use http::header::{CACHE_CONTROL, HeaderValue, SET_COOKIE, VARY};

use crate::SessionHandle;

/// Adds the headers of a response that depended on the session.
///
/// No shared cache may give one visitor's cookie to another (RFC 9111, section 7.3), nor one visitor's
/// page (section 4.1).
pub(crate) fn finish<B>(mut response: Response<B>, handle: &SessionHandle) -> Response<B> {
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("cookie"));
    // What the cookie crate writes is visible ASCII.
    if let Some(Ok(mut cookie)) = handle.set_cookie().map(HeaderValue::try_from) {
        cookie.set_sensitive(true);
        headers.append(SET_COOKIE, cookie);
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache=\"set-cookie\""));
    }
    response
}
