use divan::{Bencher, black_box};
use pycket_cookie::{CookieSettings, KeyRing, SessionCookie};
use pycket_core::SessionId;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[divan::bench]
fn verify(bencher: Bencher<'_, '_>) {
    let cookie = cookie();
    let header = sent_back(&cookie);
    bencher.bench_local(|| cookie.read([black_box(header.as_bytes())]));
}

/// The cookie is the last of ten.
#[divan::bench]
fn verify_among_ten(bencher: Bencher<'_, '_>) {
    let cookie = cookie();
    let others = (0..9).map(|n| format!("other{n}=0123456789abcdef; ")).collect::<String>();
    let header = others + &sent_back(&cookie);
    bencher.bench_local(|| cookie.read([black_box(header.as_bytes())]));
}

#[divan::bench]
fn issue(bencher: Bencher<'_, '_>) {
    let cookie = cookie();
    let id = SessionId::generate();
    bencher.bench_local(|| cookie.issue(black_box(&id), DAY));
}

#[divan::bench]
fn generate_id() -> SessionId {
    SessionId::generate()
}

fn cookie() -> SessionCookie {
    SessionCookie::new(CookieSettings::default(), &KeyRing::generate())
}

fn sent_back(cookie: &SessionCookie) -> String {
    let set_cookie = cookie.issue(&SessionId::generate(), DAY);
    set_cookie.split(';').next().unwrap_or_default().to_owned()
}
