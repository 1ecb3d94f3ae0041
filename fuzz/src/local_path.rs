//! The path that a client wants to return to after it has signed in.
//!
//! A browser that follows it stays on the site.

use pycket_axum::local_path;
use url::Url;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Some(path) = local_path(text) else { return };
    assert_eq!(path, text);
    let page = Url::parse("https://shop.example/account/sign-in").unwrap();
    let target = page.join(path).unwrap();
    assert_eq!(target.origin(), page.origin(), "{path}");
    assert!(path.bytes().all(|byte| byte.is_ascii_graphic()), "it is no value of a header");
}
