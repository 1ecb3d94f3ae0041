use axum::http::Uri;
use maud::{Markup, PreEscaped, html};
use pycket_axum::{Session, SessionError};

use crate::page::{self, Page};

pub(crate) struct Article {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) cents: u32,
    /// The shapes of its picture, 96 wide and 72 high.
    drawing: &'static str,
}

const ARTICLES: [Article; 6] = [
    Article {
        id: "bowl",
        name: "Breakfast bowl",
        text: "Speckled stoneware, deep enough for seconds.",
        cents: 24_00,
        drawing: "<path class='a' d='M18 26h60c0 20-12 32-24 34v4H42v-4C30 58 18 46 18 26z'/>\
                  <ellipse class='b' cx='48' cy='26' rx='30' ry='6'/>",
    },
    Article {
        id: "mug",
        name: "Morning mug",
        text: "Holds 300 ml and a warm hand.",
        cents: 18_00,
        drawing: "<path class='c' d='M62 28h8c14 0 14 24 0 24h-8v-6h7c6 0 6-12 0-12h-7z'/>\
                  <path class='a' d='M28 18h36v38c0 6-4 8-8 8H36c-4 0-8-2-8-8z'/>\
                  <ellipse class='b' cx='46' cy='18' rx='18' ry='5'/>",
    },
    Article {
        id: "plate",
        name: "Supper plate",
        text: "Wide rim, quiet glaze, safe in the oven.",
        cents: 32_00,
        drawing: "<ellipse class='a' cx='48' cy='42' rx='40' ry='16'/>\
                  <ellipse class='c' cx='48' cy='39' rx='40' ry='16'/>\
                  <ellipse class='b' cx='48' cy='40' rx='25' ry='9'/>",
    },
    Article {
        id: "jug",
        name: "Water jug",
        text: "Pours without a drop on the table.",
        cents: 45_00,
        drawing: "<path class='c' d='M60 24c20-4 20 30 0 28v-6c10 0 10-18 0-16z'/>\
                  <path class='a' d='M36 10l26 4-3 12c8 14 7 30 0 40H37c-8-10-9-26 0-40l-7-11z'/>\
                  <path class='b' d='M36 10l26 4-3 8-22-1z'/>",
    },
    Article {
        id: "vase",
        name: "Bud vase",
        text: "For one flower, or for none.",
        cents: 28_00,
        drawing: "<path class='a' d='M42 8h12v16c0 8 14 12 14 26 0 10-8 16-20 16s-20-6-20-16c0-14 14-18 14-26z'/>\
                  <ellipse class='b' cx='48' cy='8' rx='6' ry='2.5'/>\
                  <path class='c' d='M29 46c12 6 26 6 38 0 1 2 1 4 0 7-12 5-26 5-38 0-1-3-1-5 0-7z'/>",
    },
    Article {
        id: "teapot",
        name: "Teapot for two",
        text: "The lid stays on when you pour the last cup.",
        cents: 79_00,
        drawing: "<path class='c' d='M66 34c18-12 22 22-2 20v-5c12 0 10-18 2-10zM32 50L12 28h10l14 10z'/>\
                  <ellipse class='a' cx='50' cy='44' rx='24' ry='20'/>\
                  <ellipse class='b' cx='50' cy='26' rx='12' ry='4'/><circle class='c' cx='50' cy='20' r='4'/>",
    },
];

impl Article {
    pub(crate) fn find(id: &str) -> Option<&'static Self> {
        ARTICLES.iter().find(|article| article.id == id)
    }

    pub(crate) fn picture(&self) -> Markup {
        html! {
            svg viewBox="0 0 96 72" aria-hidden="true" { (PreEscaped(self.drawing)) }
        }
    }
}

/// The front page. An anonymous client gets no session from looking at it.
pub(crate) async fn show(session: Session, uri: Uri) -> Result<Page, SessionError> {
    let articles = html! {
        h1 { "Tableware from our kiln" }
        p.lead { "Thrown by hand, fired twice, and made to be used every day." }
        ul.articles {
            @for article in &ARTICLES {
                li.card id=(article.id) {
                    (article.picture())
                    h2 { (article.name) }
                    p { (article.text) }
                    form method="post" action="/cart/change" {
                        input type="hidden" name="article" value=(article.id);
                        input type="hidden" name="from" value="/";
                        strong.price { (price(article.cents)) }
                        button name="by" value="1" { "Add to cart" }
                    }
                }
            }
        }
    };
    page::show("Tableware", &session, &uri, articles).await
}

pub(crate) fn price(cents: u32) -> String {
    format!("€ {}.{:02}", cents / 100, cents % 100)
}
