use std::collections::BTreeMap;

use axum::Form;
use axum::http::Uri;
use axum::response::Redirect;
use maud::{Markup, html};
use pycket_axum::{Error, Notifications, Session, SessionError, Values, local_path};
use serde::Deserialize;

use crate::articles::{Article, price};
use crate::page::{self, Page};

/// The quantity of each article, by its id.
pub(crate) type Cart = BTreeMap<String, u32>;

/// The name of the cart in the session.
pub(crate) const CART: &str = "cart";
/// The name of the articles that are saved for later.
const LATER: &str = "later";

const MAX_QUANTITY: u32 = 99;

#[derive(Deserialize)]
pub(crate) struct Change {
    article: String,
    /// How many more; negative for fewer.
    by: i32,
    /// The page with the form.
    from: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Chosen {
    article: String,
}

/// Adds articles or removes some. `update` counts also what another tab changes at the same time.
pub(crate) async fn change(
    session: Session,
    notifications: Notifications,
    Form(form): Form<Change>,
) -> Result<Redirect, SessionError> {
    let page = form.from.as_deref().and_then(local_path).unwrap_or("/cart");
    let Some(article) = Article::find(&form.article) else {
        notifications.push("error", "We do not sell this article.")?;
        return Ok(Redirect::to(page));
    };
    let changed =
        session.update(CART, |cart: Option<Cart>| with_change(cart, article, form.by)).await?;
    let message = match changed.get(article.id) {
        Some(1) => format!("{} is in your cart.", article.name),
        Some(quantity) => format!("{}: you have {quantity} in your cart.", article.name),
        None => format!("{} is not in your cart any more.", article.name),
    };
    notifications.push("info", &message)?;
    Ok(Redirect::to(page))
}

fn with_change(cart: Option<Cart>, article: &Article, by: i32) -> Cart {
    let mut cart = cart.unwrap_or_default();
    let quantity = cart.get(article.id).copied().unwrap_or(0).saturating_add_signed(by);
    match quantity {
        0 => cart.remove(article.id),
        _ => cart.insert(article.id.to_owned(), quantity.min(MAX_QUANTITY)),
    };
    cart
}

pub(crate) async fn save_for_later(
    session: Session,
    Form(form): Form<Chosen>,
) -> Result<Redirect, SessionError> {
    relocate(&session, &form.article, CART, LATER).await
}

pub(crate) async fn move_back(
    session: Session,
    Form(form): Form<Chosen>,
) -> Result<Redirect, SessionError> {
    relocate(&session, &form.article, LATER, CART).await
}

/// Moves an article from one list to another. `update_all` changes both lists or none, so that no article is lost or
/// doubled.
async fn relocate(
    session: &Session,
    article: &str,
    from: &str,
    to: &str,
) -> Result<Redirect, SessionError> {
    let relocate = |values: &mut Values| {
        let mut source: Cart = values.get(from)?.unwrap_or_default();
        let mut target: Cart = values.get(to)?.unwrap_or_default();
        if let Some(quantity) = source.remove(article) {
            let sum = target.entry(article.to_owned()).or_default();
            *sum = sum.saturating_add(quantity).min(MAX_QUANTITY);
            values.set(from, &source)?;
            values.set(to, &target)?;
        }
        Ok::<_, Error>(())
    };
    session.update_all(relocate).await?;
    Ok(Redirect::to("/cart"))
}

/// The number of articles in the cart.
pub(crate) fn size(session: &Session) -> Result<u32, Error> {
    Ok(session.get_or(CART, Cart::new())?.values().sum())
}

/// The articles of a cart with their quantities. An article that the shop does not sell any more is left out.
pub(crate) fn lines(cart: &Cart) -> Vec<(&'static Article, u32)> {
    let line = |(id, quantity): (&String, &u32)| Some((Article::find(id)?, *quantity));
    cart.iter().filter_map(line).collect()
}

pub(crate) fn total(cart: &Cart) -> u32 {
    lines(cart).iter().map(|(article, quantity)| article.cents * quantity).sum()
}

pub(crate) async fn show(session: Session, uri: Uri) -> Result<Page, SessionError> {
    let cart: Cart = session.get_or(CART, Cart::new())?;
    let later: Cart = session.get_or(LATER, Cart::new())?;
    let content = html! {
        h1 { "Your cart" }
        section.card {
            @if cart.is_empty() {
                p { "It is empty. " a href="/" { "Look at our tableware" } "." }
            } @else {
                ul.lines {
                    @for (article, quantity) in lines(&cart) { (line(article, quantity)) }
                }
                form.total method="post" action="/order" {
                    span { "Total" }
                    strong #total { (price(total(&cart))) }
                    button { @if session.user_id().is_some() { "Order" } @else { "Sign in to order" } }
                }
            }
        }
        @if !later.is_empty() {
            section.card {
                h2 { "Saved for later" }
                ul.lines {
                    @for (article, quantity) in lines(&later) {
                        li {
                            (article.picture())
                            span.name { (article.name) " × " (quantity) }
                            form method="post" action="/cart/back" {
                                button.quiet name="article" value=(article.id) { "Move to cart" }
                            }
                        }
                    }
                }
            }
        }
    };
    page::show("Cart", &session, &uri, content).await
}

fn line(article: &Article, quantity: u32) -> Markup {
    html! {
        li {
            (article.picture())
            span.name { (article.name) small { (price(article.cents)) } }
            form.quantity method="post" action="/cart/change" {
                input type="hidden" name="article" value=(article.id);
                button.quiet name="by" value="-1" aria-label={ "One " (article.name) " less" } { "−" }
                output { (quantity) }
                button.quiet name="by" value="1" aria-label={ "One " (article.name) " more" } { "+" }
            }
            form method="post" action="/cart/later" {
                button.quiet name="article" value=(article.id) { "Save for later" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantity_stays_between_nothing_and_the_maximum() {
        let bowl = Article::find("bowl").unwrap();
        assert_eq!(with_change(None, bowl, -1), Cart::new());
        assert_eq!(with_change(None, bowl, i32::MAX)["bowl"], MAX_QUANTITY);
        assert_eq!(with_change(Some(Cart::from([("bowl".to_owned(), 2)])), bowl, -2), Cart::new());
    }

    #[test]
    fn article_that_is_not_sold_any_more_costs_nothing() {
        let cart = Cart::from([("bowl".to_owned(), 2), ("spoon".to_owned(), 1)]);
        assert_eq!((lines(&cart).len(), price(total(&cart))), (1, "€ 48.00".to_owned()));
    }
}
