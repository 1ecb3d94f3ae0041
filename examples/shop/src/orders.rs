use std::sync::{Mutex, PoisonError};

use axum::extract::State;
use axum::response::Redirect;
use pycket_axum::{Notifications, Session, SessionError, User};

use crate::Shop;
use crate::articles::price;
use crate::cart::{self, CART, Cart};

/// All orders. A real shop has them in its database.
#[derive(Default)]
pub(crate) struct Orders(Mutex<Vec<Order>>);

#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) user: String,
    pub(crate) cart: Cart,
}

impl Orders {
    fn add(&self, order: Order) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(order);
    }

    /// The orders of a user, the newest first.
    pub(crate) fn of(&self, user: &str) -> Vec<Order> {
        let orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        orders.iter().rev().filter(|order| order.user == user).cloned().collect()
    }
}

/// Orders what is in the cart. `take` gives the cart to one request, so that a double click orders once.
pub(crate) async fn place(
    session: Session,
    notifications: Notifications,
    User(user): User,
    State(shop): State<Shop>,
) -> Result<Redirect, SessionError> {
    let cart = session.take::<Cart>(CART).await?.filter(|cart| cart::total(cart) > 0);
    let Some(cart) = cart else {
        notifications.push("error", "Your cart is empty.")?;
        return Ok(Redirect::to("/cart"));
    };
    let message = format!("Thank you! Your order of {} is on its way.", price(cart::total(&cart)));
    shop.orders.add(Order { user, cart });
    notifications.push("info", &message)?;
    Ok(Redirect::to("/account"))
}
