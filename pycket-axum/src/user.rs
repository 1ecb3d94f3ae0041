use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::{Session, SessionError};

/// The signed-in user, as an axum extractor: the one that [`log_in`](pycket_core::Session::log_in) was called with.
///
/// `User<String>`, or `User` for short, is the user's id. An application that wants its own type implements
/// [`FromUserId`] for it. A request without a signed-in user is answered with
/// [`UserRejection::NotSignedIn`], a 401; inside of [`RequireUser::or_redirect_to`](crate::RequireUser::or_redirect_to)
/// it is redirected to the sign-in page instead.
///
/// The extractor costs the load of the session, which all extractors of a request share, and nothing else.
///
/// ```
/// use axum::{Router, routing::get};
/// use pycket_axum::User;
///
/// async fn account(User(id): User) -> String {
///     format!("The account of {id}.")
/// }
///
/// // For signed-in and anonymous clients alike.
/// async fn greet(user: Option<User>) -> String {
///     user.map_or("Hello, stranger!".to_owned(), |User(id)| format!("Hello, {id}!"))
/// }
/// # let _: Router = Router::new().route("/account", get(account)).route("/", get(greet));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User<T = String>(pub T);

/// Makes the application's own type of a signed-in user: [`User<T>`](User) is an extractor then.
///
/// This is also the place to make an old password worthless at once. Store a number at sign-in that changes with
/// the password, and compare it here: a session that was signed in with an older password counts as signed
/// out, also if [`end_all`](pycket_core::UserSessions::end_all) missed it because it was signing in at that moment.
///
/// ```
/// use pycket_axum::{FromUserId, Session, SessionError, User};
///
/// #[derive(Clone)]
/// struct Accounts; // a pool of connections to a database
/// # impl Accounts { async fn find(&self, id: i64) -> Option<Account> { Some(Account { id, password_version: 1 }) } }
///
/// struct Account {
///     id: i64,
///     /// Counts the changes of the password.
///     password_version: u32,
/// }
///
/// impl FromUserId<Accounts> for Account {
///     type Error = SessionError;
///
///     async fn from_user_id(
///         id: &str,
///         session: &Session,
///         accounts: &Accounts,
///     ) -> Result<Option<Self>, SessionError> {
///         let Ok(id) = id.parse() else { return Ok(None) };
///         let account = accounts.find(id).await;
///         let version = session.get("password_version")?;
///         Ok(account.filter(|account| Some(account.password_version) == version))
///     }
/// }
///
/// async fn sign_in(session: Session, account: Account) -> Result<(), SessionError> {
///     session.log_in(account.id)?;
///     Ok(session.set("password_version", &account.password_version)?)
/// }
///
/// async fn show(User(account): User<Account>) -> String {
///     format!("account {}", account.id)
/// }
/// # let _: axum::Router<Accounts> = axum::Router::new().route("/", axum::routing::get(show));
/// ```
pub trait FromUserId<S>: Sized {
    /// The response if the user cannot be looked up.
    type Error: IntoResponse;

    /// The user with this id; `None` if there is none any more, so that the client counts as signed out. `state`
    /// is the state of the application, for example with its database.
    fn from_user_id(
        user_id: &str,
        session: &Session,
        state: &S,
    ) -> impl Future<Output = Result<Option<Self>, Self::Error>> + Send;
}

/// Why there is no [`User`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserRejection<E> {
    /// No user is signed in: 401. Inside of [`RequireUser`](crate::RequireUser) it is the answer of that.
    #[error("no user is signed in")]
    NotSignedIn,
    /// The session cannot be loaded.
    #[error("{0}")]
    Session(SessionError),
    /// [`FromUserId`] failed.
    #[error("{0}")]
    Lookup(E),
}

/// Marks the response to a request that needs a signed-in user, for the layer that may redirect it.
#[derive(Clone, Copy)]
pub(crate) struct NotSignedIn;

impl<S: Sync> FromUserId<S> for String {
    type Error = SessionError;

    async fn from_user_id(user_id: &str, _: &Session, _: &S) -> Result<Option<Self>, SessionError> {
        Ok(Some(user_id.to_owned()))
    }
}

impl<S: Send + Sync, T: FromUserId<S>> FromRequestParts<S> for User<T> {
    type Rejection = UserRejection<T::Error>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        match find(parts, state).await {
            Ok(Some(user)) => Ok(user),
            Ok(None) => Err(UserRejection::NotSignedIn),
            Err(rejection) => Err(rejection),
        }
    }
}

impl<S: Send + Sync, T: FromUserId<S>> OptionalFromRequestParts<S> for User<T> {
    type Rejection = UserRejection<T::Error>;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, Self::Rejection> {
        find(parts, state).await
    }
}

async fn find<S: Send + Sync, T: FromUserId<S>>(
    parts: &mut Parts,
    state: &S,
) -> Result<Option<User<T>>, UserRejection<T::Error>> {
    let session = <Session as FromRequestParts<S>>::from_request_parts(parts, state)
        .await
        .map_err(UserRejection::Session)?;
    let Some(id) = session.user_id() else { return Ok(None) };
    let user = T::from_user_id(&id, &session, state).await.map_err(UserRejection::Lookup)?;
    Ok(user.map(User))
}

impl<E: IntoResponse> IntoResponse for UserRejection<E> {
    fn into_response(self) -> Response {
        match self {
            Self::NotSignedIn => not_signed_in(),
            Self::Session(error) => error.into_response(),
            Self::Lookup(error) => error.into_response(),
        }
    }
}

/// The 401 for a request without a signed-in user.
pub(crate) fn not_signed_in() -> Response {
    let mut response = (StatusCode::UNAUTHORIZED, "sign in first\n").into_response();
    response.extensions_mut().insert(NotSignedIn);
    response
}
