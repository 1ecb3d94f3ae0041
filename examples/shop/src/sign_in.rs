use std::time::Duration;

use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use pycket_axum::{Notifications, Session, SessionError, SessionHandle, local_path};
use serde::Deserialize;

use crate::accounts::DEMO_PASSWORD;
use crate::page::{self, Page};
use crate::{Shop, devices};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The page that a client wanted when the guard sent it here.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    next: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct SignIn {
    name: String,
    password: String,
    remember: Option<String>,
    next: String,
}

pub(crate) async fn show(
    session: Session,
    Query(wanted): Query<Wanted>,
    uri: Uri,
) -> Result<Page, SessionError> {
    let next = wanted.next.as_deref().and_then(local_path).unwrap_or("/");
    page::show("Sign in", &session, &uri, form(next, None)).await
}

fn form(next: &str, error: Option<&str>) -> Markup {
    html! {
        h1 { "Sign in" }
        form.card.stack method="post" action="/sign-in" {
            @if let Some(error) = error { p.message.error role="alert" { (error) } }
            p { "Try " code { "ann" } " or " code { "bob" } " with the password " code { (DEMO_PASSWORD) } "." }
            label { "Name" input name="name" required autocomplete="username"; }
            label { "Password" input name="password" type="password" required autocomplete="current-password"; }
            label.check { input name="remember" type="checkbox"; "Remember me for 30 days" }
            input type="hidden" name="next" value=(next);
            button { "Sign in" }
        }
    }
}

pub(crate) async fn sign_in(
    session: Session,
    notifications: Notifications,
    State(shop): State<Shop>,
    uri: Uri,
    headers: HeaderMap,
    Form(SignIn { name, password, remember, next }): Form<SignIn>,
) -> Result<Response, SessionError> {
    // Only a path of this site, because a link to the sign-in page may carry any address.
    let next = local_path(&next).unwrap_or("/");
    let (checked, accounts) = (name.clone(), shop.accounts);
    // A hash takes long, so it runs beside the other requests.
    let check = tokio::task::spawn_blocking(move || accounts.is_right(&checked, &password));
    if !check.await.unwrap_or(false) {
        // Nothing is stored, so that failed attempts do not fill the store.
        let form = form(next, Some("The name or the password is wrong."));
        let page = page::show("Sign in", &session, &uri, form).await?;
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    }
    session.log_in_labelled(&name, devices::label(&headers))?;
    if remember.is_some() {
        // 30 days without a visit, and 90 days in any case. The cookie lasts as long.
        session.remember(30 * DAY, 90 * DAY)?;
    }
    notifications.push("info", &format!("Welcome, {name}!"))?;
    Ok(Redirect::to(next).into_response())
}

/// The handle also ends a session whose record cannot be read.
pub(crate) async fn sign_out(handle: SessionHandle) -> Result<Redirect, SessionError> {
    handle.destroy().await?;
    Ok(Redirect::to("/"))
}
