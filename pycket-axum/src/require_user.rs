use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::IntoResponse;
use http::header::{HeaderValue, LOCATION};
use http::{Method, Request, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tower_layer::Layer;
use tower_service::Service;

use crate::user::{NotSignedIn, not_signed_in};
use pycket_core::{Error, ErrorKind};

use crate::{SessionError, SessionHandle};

/// Lets only requests of signed-in users reach the routes that it is put around. All others are answered with a 401,
/// or redirected to a sign-in page.
///
/// Use it with `route_layer`, inside of the [`SessionLayer`](crate::SessionLayer). It costs no store call of its
/// own: it shares the load of the session with the handler. It stores nothing either, because the redirect carries
/// where the client wanted to go.
///
/// ```
/// use axum::response::Redirect;
/// use axum::routing::{get, post};
/// use axum::{Form, Router};
/// use pycket_axum::{MemoryStore, RequireUser, Session, SessionError, SessionLayer, User, local_path};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct SignIn {
///     name: String,
///     password: String,
///     next: String,
/// }
///
/// # fn password_is_right(name: &str, password: &str) -> bool { true }
/// async fn sign_in(session: Session, Form(form): Form<SignIn>) -> Result<Redirect, SessionError> {
///     if !password_is_right(&form.name, &form.password) {
///         return Ok(Redirect::to("/sign-in"));
///     }
///     session.log_in(&form.name)?;
///     // Only a path of this site, because a link to the sign-in page may carry any address.
///     Ok(Redirect::to(local_path(&form.next).unwrap_or("/")))
/// }
///
/// async fn account(User(name): User) -> String {
///     format!("Hello, {name}!")
/// }
///
/// let sessions = SessionLayer::new(MemoryStore::new(), "a secret of at least thirty-two bytes")?;
/// let app: Router = Router::new()
///     .route("/account", get(account))
///     .route_layer(RequireUser::or_redirect_to("/sign-in")?)
///     .route("/sign-in", post(sign_in)) // after the guard, so it is open
///     .layer(sessions);
/// # Ok::<(), pycket_axum::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias("login_required", "permission_required"))] // Django, axum-login
pub struct RequireUser(Answer);

/// The service that [`RequireUser`] puts around another one.
#[derive(Clone, Debug)]
pub struct RequireUserService<S> {
    inner: S,
    answer: Answer,
}

/// The answer to a request without a signed-in user.
#[derive(Clone, Debug)]
enum Answer {
    Unauthorized,
    Redirect(Arc<str>),
}

impl RequireUser {
    /// A request without a signed-in user is answered with a 401. For interfaces of programs.
    pub const fn or_401() -> Self {
        Self(Answer::Unauthorized)
    }

    /// A request without a signed-in user is redirected to this path with a 303.
    ///
    /// A `GET` carries where it wanted to go as the parameter `next`, for example `/sign-in?next=%2Faccount%3Ftab%3D2`.
    /// It is the path as the session layer saw it. Check it with [`local_path`] before you redirect to it after the
    /// sign-in. Other methods carry none, because a redirect cannot repeat them.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](ErrorKind::InvalidSetting) if `sign_in` is not a [path of this site](local_path).
    pub fn or_redirect_to(sign_in: &str) -> Result<Self, Error> {
        match local_path(sign_in) {
            Some(path) => Ok(Self(Answer::Redirect(path.into()))),
            None => Err(Error::new(
                ErrorKind::InvalidSetting,
                "the path of the sign-in page must begin with one `/`, for example `/sign-in`",
            )),
        }
    }
}

impl<S> Layer<S> for RequireUser {
    type Service = RequireUserService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireUserService { inner, answer: self.0.clone() }
    }
}

impl<S, B> Service<Request<B>> for RequireUserService<S>
where
    S: Service<Request<B>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that is ready, and a clone for the next request.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let answer = self.answer.clone();
        Box::pin(async move {
            let handle = request.extensions().get::<SessionHandle>().cloned();
            let is_get = request.method() == Method::GET;
            let wanted = handle.as_ref().filter(|_| is_get).and_then(SessionHandle::path);
            match is_signed_in(handle.as_ref()).await {
                Err(error) => Ok(error.into_response()),
                Ok(false) => Ok(answer.response(wanted)),
                Ok(true) => {
                    let response = inner.call(request).await?;
                    // The application's own check may refuse the user: the extractor `User` marks its answer.
                    match response.extensions().get::<NotSignedIn>() {
                        Some(_) => Ok(answer.response(wanted)),
                        None => Ok(response),
                    }
                }
            }
        })
    }
}

async fn is_signed_in(handle: Option<&SessionHandle>) -> Result<bool, SessionError> {
    let handle = handle.ok_or(SessionError::MissingLayer)?;
    Ok(handle.session().await?.user_id().is_some())
}

impl Answer {
    fn response(&self, wanted: Option<&str>) -> Response<Body> {
        let Self::Redirect(sign_in) = self else { return not_signed_in() };
        let location = match wanted {
            Some(path) => {
                let separator = if sign_in.contains('?') { '&' } else { '?' };
                let next = utf8_percent_encode(path, QUERY_VALUE);
                format!("{sign_in}{separator}next={next}")
            }
            None => sign_in.to_string(),
        };
        let mut response = StatusCode::SEE_OTHER.into_response();
        // Both parts are checked: a path of this site, and percent-encoded text.
        if let Ok(location) = HeaderValue::from_str(&location) {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}

/// Everything but the unreserved characters of RFC 3986.
const QUERY_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns `path` if it is a path of this site, with or without a query; `None` for everything that leads a browser
/// elsewhere.
///
/// Use it for a path that the client sends, such as the parameter `next` of [`RequireUser`]. A path begins with one
/// `/`. Two, a backslash (which browsers take for a `/`), a space, a control character or one that is not ASCII (it has
/// to be percent-encoded) make it no path of this site ([OWASP, Unvalidated
/// Redirects](https://cheatsheetseries.owasp.org/cheatsheets/Unvalidated_Redirects_and_Forwards_Cheat_Sheet.html)).
///
/// ```
/// use pycket_axum::local_path;
///
/// assert_eq!(local_path("/account?tab=2"), Some("/account?tab=2"));
/// for other in ["https://example.org/", "//example.org/", "/\\example.org", "/\t/example.org", "account", ""] {
///     assert_eq!(local_path(other), None);
/// }
/// ```
pub fn local_path(path: &str) -> Option<&str> {
    let rest = path.strip_prefix('/')?;
    let is_local =
        !rest.starts_with('/') && rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    is_local.then_some(path)
}
