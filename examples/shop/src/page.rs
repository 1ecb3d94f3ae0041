use axum::http::Uri;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue};
use axum::response::{Html, Response};
use maud::{DOCTYPE, Markup, html};
use pycket_axum::{Session, SessionError};

use crate::cart;

/// Part of the page, so that browsers do not ask for `/favicon.ico`.
const ICON: &str = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>\
    <path fill='peru' d='M4 10h24c0 9-5 14-10 15v3h-4v-3C9 24 4 19 4 10z'/></svg>";

/// Allows no scripts, because no page needs one.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'",
);

pub(crate) type Page = Html<String>;

/// A page with the messages that wait in the session. Each is shown once.
pub(crate) async fn show(
    title: &str,
    session: &Session,
    uri: &Uri,
    content: Markup,
) -> Result<Page, SessionError> {
    let user = session.user_id();
    let size = cart::size(session)?;
    let messages = session.notifications().drain().await?;
    let link = |path: &str, text: Markup| {
        html! { a href=(path) aria-current=[(uri.path() == path).then_some("page")] { (text) } }
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – Kiln" }
                link rel="icon" href=(ICON);
                link rel="stylesheet" href="/style.css";
            }
            body {
                header {
                    a.brand href="/" { "Kiln" }
                    nav {
                        (link("/", html! { "Tableware" }))
                        (link("/cart", html! { "Cart" @if size > 0 { " " span.count #cart-size { (size) } } }))
                        @if user.is_some() {
                            (link("/account", html! { "Account" }))
                            form method="post" action="/sign-out" { button.link { "Sign out" } }
                        } @else {
                            (link("/sign-in", html! { "Sign in" }))
                        }
                    }
                }
                main {
                    @for (name, message) in &messages {
                        @if let Ok(message) = message.decode::<String>() {
                            p.message.error[name == "error"] role="status" { (message) }
                        }
                    }
                    (content)
                }
                footer { p { "A demonstration: nothing is for sale, and no page needs a script." } }
            }
        }
    };
    Ok(Html(page.into_string()))
}

/// The headers of all pages. A browser does not show a personal page again after a sign-out.
pub(crate) async fn add_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}
