use std::time::Duration;

use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use pycket_axum::{Session, SessionError};
use pycket_core::{Clock, ErrorKind, SystemClock, UserSession};
use serde_json::Value;

use crate::form;
use crate::number::increment;

const STYLE: &str = include_str!("style.css");

/// Part of the page, so that browsers do not ask for `/favicon.ico`.
const ICON: &str = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>\
    <circle cx='16' cy='16' r='15' fill='peru'/><g fill='saddlebrown'><circle cx='11' cy='10' r='3'/>\
    <circle cx='21' cy='13' r='2'/><circle cx='10' cy='20' r='2'/><circle cx='20' cy='22' r='3'/></g></svg>";

/// Allows no scripts, because the page needs none.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The page. A session that cannot be read has a page, too, so that the client can sign out.
pub(crate) async fn show(
    session: Result<Session, SessionError>,
    RawQuery(query): RawQuery,
) -> Result<Response, SessionError> {
    let (status, content) = match session {
        Ok(session) => (StatusCode::OK, content(&session, query.as_deref()).await?),
        Err(SessionError::Session(error)) if error.kind() == ErrorKind::Corrupt => {
            // The conversion into a response logs the error.
            (SessionError::from(error).into_response().status(), unreadable_section())
        }
        Err(error) => return Err(error),
    };
    let page = Html(page(&content).into_string());
    Ok((status, [(CONTENT_SECURITY_POLICY, POLICY)], page).into_response())
}

/// It counts visits only if the client has a session, because a first visit must store nothing.
async fn content(session: &Session, query: Option<&str>) -> Result<Markup, SessionError> {
    let visits = count_visit(session).await?;
    let notifications = session.notifications().drain().await?;
    let notifications = notifications.iter().filter_map(|(_, value)| value.decode().ok());
    let mut messages: Vec<String> = notifications.map(|value| text(&value)).collect();
    messages.extend(form::message(query, session).map(str::to_owned));
    let devices = match session.user_sessions() {
        Some(sessions) => Some(sessions.sessions().await?),
        None => None,
    };
    Ok(html! {
        @for message in &messages {
            div.message role="status" { (long_text(message)) }
        }
        (user_section(session))
        @if let Some(devices) = &devices { (device_section(devices)) }
        (session_section(session, visits))
        (value_section(session))
    })
}

/// The number of visits with this session; `None` without a session. A value that is not a number stays as it
/// is. Neither that nor a full session is a reason to refuse the page.
async fn count_visit(session: &Session) -> Result<Option<String>, SessionError> {
    if session.is_new() {
        return Ok(None);
    }
    match session.update("visits", increment).await {
        Ok(visits) => Ok(Some(visits.to_string())),
        Err(error) if error.kind() == ErrorKind::Decode => Ok(Some("not a number".to_owned())),
        Err(error) if error.kind() == ErrorKind::TooLarge => {
            Ok(Some("not counted, because the session is full".to_owned()))
        }
        Err(error) if error.kind() == ErrorKind::Ended => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn page(content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "pycket demo" }
                link rel="icon" href=(ICON);
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { img src=(ICON) alt="" width="32" height="32"; "pycket" }
                    p { "Sessions on the server. Your browser keeps one signed cookie." }
                }
                main { (content) }
                footer {
                    p {
                        "For programs: " a href="/api/session" { code { "GET /api/session" } } ", "
                        code { "PUT /api/session/{name}" } " and more; see the README."
                    }
                }
            }
        }
    }
}

fn unreadable_section() -> Markup {
    html! {
        section {
            h2 { "Your session cannot be read" }
            p { "Sign out to begin a new one." }
            (sign_out_form())
        }
    }
}

fn sign_out_form() -> Markup {
    html! { form method="post" action="/sign-out" { button { "Sign out" } } }
}

fn user_section(session: &Session) -> Markup {
    html! {
        section {
            @match session.get::<Value>("user").transpose() {
                Some(user) => {
                    h2 { "Hello, " (shortened(&text_of(user.as_ref()), 40)) }
                    (sign_out_form())
                }
                None => {
                    h2 { "Hello, stranger" }
                    form method="post" action="/sign-in" {
                        label.field { "Your name" input name="user" required autocomplete="username"; }
                        label.check { input type="checkbox" name="remember"; "Remember me for 30 days" }
                        button { "Sign in" }
                    }
                }
            }
        }
    }
}

fn device_section(devices: &[UserSession]) -> Markup {
    let now = SystemClock::new().now();
    html! {
        section {
            h2 { "Your devices" }
            ul.devices {
                @for device in devices {
                    li {
                        div {
                            strong { (device.label.as_deref().unwrap_or("Unknown device")) }
                            @if device.is_current { " " span.mark { "this one" } }
                            p {
                                "Signed in " (ago(now.saturating_since(device.signed_in_at)))
                                ", last seen " (ago(now.saturating_since(device.last_renewed)))
                            }
                        }
                        @if !device.is_current {
                            form method="post" action="/devices/end" {
                                input type="hidden" name="handle" value=(device.handle);
                                button.quiet { "Sign out" }
                            }
                        }
                    }
                }
            }
            @if devices.len() > 1 {
                form method="post" action="/devices/end-others" {
                    button { "Sign out all other devices" }
                }
            }
        }
    }
}

fn session_section(session: &Session, visits: Option<String>) -> Markup {
    html! {
        section {
            h2 { "Your session" }
            @match visits {
                Some(visits) => dl.facts {
                    dt { "Visits" }
                    dd { (visits) }
                    dt { "Idle timeout" }
                    dd { (session.expires_in().map_or("–".to_owned(), duration_text)) }
                    dt { "Absolute timeout" }
                    dd { (session.absolute_expires_in().map_or("none".to_owned(), duration_text)) }
                },
                None => p { "None yet. It starts when you sign in or set a value." }
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
                dl.values {
                    @for (name, value) in session.iter() {
                        div {
                            dt { (long_text(&name)) }
                            dd { (long_text(&text_of(value.decode().as_ref()))) }
                            dd {
                                form method="post" action="/values/remove" {
                                    input type="hidden" name="name" value=(name);
                                    button.quiet aria-label={ "Remove " (shortened(&name, 40)) } { "Remove" }
                                }
                            }
                        }
                    }
                }
            }
            form.row method="post" action="/values" {
                label.field { "Name" input name="name" required autocomplete="off"; }
                label.field { "Value" input name="value" placeholder="text or JSON" autocomplete="off"; }
                button { "Set" }
            }
        }
    }
}

fn text_of<E>(value: Result<&Value, E>) -> String {
    value.map_or("(not readable)".to_owned(), text)
}

/// A JSON value as text: a string without its quotes.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The text, or its beginning with the rest one click away.
fn long_text(text: &str) -> Markup {
    let beginning = shortened(text, 120);
    html! {
        @if beginning == text { (text) } @else { details { summary { (beginning) } (text) } }
    }
}

/// The first `length` characters of a text.
pub(crate) fn shortened(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// How long ago something was.
fn ago(age: Duration) -> String {
    match age.as_secs() {
        0..60 => "just now".to_owned(),
        _ => format!("{} ago", duration_text(age)),
    }
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
