use std::time::Duration;

use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use pycket_axum::{Session, SessionError};
use serde_json::{Number, Value};

use crate::number::increment;

const STYLE: &str = include_str!("style.css");

/// Allows no scripts, because the page needs none.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'";

/// The page. It counts visits only if the client has a session, because a first visit must store nothing.
pub(crate) async fn show(session: Session) -> Result<impl IntoResponse, SessionError> {
    let visits = match session.is_new() {
        true => None,
        false => Some(session.update("visits", increment).await?),
    };
    let messages = session.notifications().drain().await?;
    let messages: Vec<Value> = messages.iter().filter_map(|(_, text)| text.decode().ok()).collect();
    let page = page(&session, visits, &messages);
    Ok(([(CONTENT_SECURITY_POLICY, POLICY)], Html(page.into_string())))
}

fn page(session: &Session, visits: Option<Number>, messages: &[Value]) -> Markup {
    let user = session.get::<Value>("user").ok().flatten();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "pycket demo" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "pycket" }
                    p { "Your browser has one signed cookie. Everything else is on the server." }
                }
                main {
                    @for message in messages {
                        p.message role="status" { (text(message)) }
                    }
                    (user_section(user.as_ref(), visits))
                    (timeout_section(session))
                    (value_section(session))
                }
                footer {
                    "For programs: " code { "GET /api/session" } ", " code { "PUT /api/session/{name}" }
                    " and more; see the README."
                }
            }
        }
    }
}

fn user_section(user: Option<&Value>, visits: Option<Number>) -> Markup {
    html! {
        section {
            @match user {
                Some(user) => {
                    h2 { "Hello, " (text(user)) }
                    form method="post" action="/sign-out" { button { "Sign out" } }
                }
                None => {
                    h2 { "Hello, stranger" }
                    form method="post" action="/sign-in" {
                        label for="user" { "Name" }
                        input id="user" name="user" required autocomplete="username";
                        label { input type="checkbox" name="remember"; " Remember me for 30 days" }
                        button { "Sign in" }
                    }
                }
            }
            @match visits {
                Some(visits) => p { "Visits in this session: " strong { (visits) } },
                None => p { "Nothing is stored for you yet, and your browser has no cookie." },
            }
        }
    }
}

fn timeout_section(session: &Session) -> Markup {
    html! {
        section {
            h2 { "Time left" }
            dl {
                dt { "Idle timeout" }
                dd { (session.expires_in().map_or("–".to_owned(), duration_text)) }
                dt { "Absolute timeout" }
                dd { (session.absolute_expires_in().map_or("–".to_owned(), duration_text)) }
            }
        }
    }
}

fn value_section(session: &Session) -> Markup {
    html! {
        section {
            h2 { "Values in your session" }
            @if session.is_empty() {
                p { "None." }
            } @else {
                table {
                    thead { tr { th { "Name" } th { "Value" } th { span.unseen { "Remove" } } } }
                    tbody {
                        @for (name, value) in session.iter() {
                            tr {
                                td { code { (name) } }
                                td { (value.decode().as_ref().map_or("(not readable)".to_owned(), text)) }
                                td {
                                    form method="post" action="/values/remove" {
                                        input type="hidden" name="name" value=(name);
                                        button.quiet aria-label={ "Remove " (name) } { "Remove" }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            form method="post" action="/values" {
                label for="name" { "Name" }
                input id="name" name="name" required;
                label for="value" { "Value" }
                input id="value" name="value" placeholder="text or JSON";
                button { "Set" }
            }
        }
    }
}

/// A JSON value as text: a string without its quotes.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The two largest units of a duration, such as `1 h 30 min`.
fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let first = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(units.len() - 1);
    let shown = units.iter().skip(first).take(2).scan(seconds, |rest, (unit, name)| {
        let count = *rest / unit;
        *rest %= unit;
        Some(format!("{count} {name}"))
    });
    shown.collect::<Vec<_>>().join(" ")
}
