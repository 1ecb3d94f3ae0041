use axum::{Router, routing::get};
use pycket_axum::{MemoryStore, Notifications, Session, SessionError, SessionLayer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = SessionLayer::new(MemoryStore::new(), "32 random bytes of your configuration")?;
    let app = Router::new().route("/", get(home)).layer(sessions);
    Ok(axum::serve(tokio::net::TcpListener::bind("127.0.0.1:3000").await?, app).await?)
}

async fn home(session: Session, messages: Notifications) -> Result<String, SessionError> {
    let visits = session.update("visits", |n: Option<u32>| n.unwrap_or(0) + 1).await?;
    let message = messages.get_or("info", "Hello!".to_owned()).await?;
    messages.set("info", "Welcome back!")?;
    Ok(format!("{message} This is visit {visits}."))
}
