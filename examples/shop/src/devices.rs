use axum::Form;
use axum::extract::State;
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, Uri};
use axum::response::Redirect;
use maud::{Markup, html};
use pycket_axum::{Notifications, Session, SessionError, User, UserSession, UserSessionHandle};
use serde::Deserialize;

use crate::articles::price;
use crate::page::{self, Page};
use crate::{Shop, cart};

#[derive(Deserialize)]
pub(crate) struct Device {
    handle: String,
}

/// What a browser is called in the list, from its `User-Agent` header.
pub(crate) fn label(headers: &HeaderMap) -> String {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // In this order, because each browser also names those that it is compatible with.
    let browsers = ["Edg", "OPR", "Firefox", "Chrome", "Safari"];
    let systems = ["Windows", "iPhone", "iPad", "Android", "Mac OS", "Linux"];
    let first = |known: &[&'static str]| known.iter().find(|mark| agent.contains(**mark)).copied();
    match (first(&browsers), first(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        _ => agent.split('/').next().filter(|it| !it.is_empty()).unwrap_or("Unknown").to_owned(),
    }
}

/// The account: devices and orders.
pub(crate) async fn show(
    session: Session,
    User(user): User,
    State(shop): State<Shop>,
    uri: Uri,
) -> Result<Page, SessionError> {
    let devices = match session.user_sessions() {
        Some(sessions) => sessions.sessions().await?,
        None => Vec::new(),
    };
    let content = html! {
        h1 { "Hello, " (user) }
        section.card {
            h2 { "Your devices" }
            ul.lines.devices {
                @for device in &devices { (line(device)) }
            }
            form method="post" action="/account/devices/end-all" { button { "Sign out everywhere" } }
        }
        section.card {
            h2 { "Your orders" }
            @let orders = shop.orders.of(&user);
            @if orders.is_empty() {
                p { "None yet." }
            }
            @for order in &orders {
                p.order {
                    @for (article, quantity) in cart::lines(&order.cart) { (quantity) " × " (article.name) ", " }
                    strong { (price(cart::total(&order.cart))) }
                }
            }
        }
    };
    page::show("Account", &session, &uri, content).await
}

fn line(device: &UserSession) -> Markup {
    html! {
        li {
            span.name {
                (device.label.as_deref().unwrap_or("Unknown"))
                @if device.is_current { small { "this device" } }
            }
            @if !device.is_current {
                form method="post" action="/account/devices/end" {
                    button.quiet name="handle" value=(device.handle) { "Sign out" }
                }
            }
        }
    }
}

/// Ends one device. A handle of another user's session ends nothing.
pub(crate) async fn end(
    session: Session,
    notifications: Notifications,
    Form(device): Form<Device>,
) -> Result<Redirect, SessionError> {
    let handle = device.handle.parse::<UserSessionHandle>();
    let has_ended = match (session.user_sessions(), handle) {
        (Some(sessions), Ok(handle)) => sessions.end(&handle).await?,
        _ => false,
    };
    let message = match has_ended {
        true => "The device is signed out.",
        false => "This device was already signed out.",
    };
    notifications.push("info", message)?;
    Ok(Redirect::to("/account"))
}

/// Ends all sessions of the user. `destroy` also removes the cookie of this device.
pub(crate) async fn end_all(session: Session) -> Result<Redirect, SessionError> {
    if let Some(sessions) = session.user_sessions() {
        sessions.end_all().await?;
    }
    session.destroy();
    Ok(Redirect::to("/"))
}
