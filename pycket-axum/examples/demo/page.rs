use std::time::Duration;

use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use pycket_axum::{Session, SessionError};
use serde_json::{Number, Value};

use crate::number::increment;

const STYLE: &str = include_str!("style.css");

/// The page needs no scripts, so none are allowed to run on it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'";

/// The page. It counts visits of those who have a session already, for a first visit must leave nothing.
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
                    p { "Your browser holds one signed cookie. Everything else is on the server." }
                }
                main {
                    @for message in messages {
                        p.message role="status" { (text(message)) }
                    }
                    (visitor(user.as_ref(), visits))
                    (life(session))
                    (values(session))
                }
                footer {
                    "For programs: " code { "GET /api/session" } ", " code { "PUT /api/session/{name}" }
                    " and more; see the README."
                }
            }
        }
    }
}

fn visitor(user: Option<&Value>, visits: Option<Number>) -> Markup {
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
                None => p { "Nothing is stored for you yet, and you have no cookie: look into your browser." },
            }
        }
    }
}

fn life(session: &Session) -> Markup {
    html! {
        section {
            h2 { "How long it lives" }
            dl {
                dt { "Ends, if nothing renews it, in" }
                dd { (session.expires_in().map_or("–".to_owned(), readable)) }
                dt { "Ends in any case in" }
                dd { (session.absolute_expires_in().map_or("–".to_owned(), readable)) }
            }
        }
    }
}

fn values(session: &Session) -> Markup {
    html! {
        section {
            h2 { "What it holds" }
            @if session.is_empty() {
                p { "Nothing." }
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

/// Text as it is, without JSON's quotes.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn readable(duration: Duration) -> String {
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
