use std::fmt::Write;

use super::summary::{Clients, Summary};
use crate::bench::Route;
use crate::records::Size;
use crate::servers::Server;

const WIDTH: f64 = 760.0;
const LABELS: f64 = 200.0;
const BAR: f64 = 18.0;
const STEP: f64 = 26.0;
/// Space for the figure behind the longest bar.
const FIGURE: f64 = 70.0;

/// The colours are readable on white and on black. Each kind of server has one.
const STYLE: &str = "
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px }
.quiet { fill: #57606a }
.floor { fill: #8c959f }
.pycket { fill: #1a7f64 }
.peer { fill: #b5bfc9 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9198a1 }
  .floor { fill: #848d97 }
  .pycket { fill: #3fb68b }
  .peer { fill: #4b535d }
}";

/// Bars under a title, all of one scale.
struct Group {
    title: &'static str,
    bars: Vec<Bar>,
}

struct Bar {
    label: String,
    /// The kind of the server.
    class: &'static str,
    value: f64,
}

/// The processor time that sessions add to a request, by route and server.
pub(super) fn costs(summary: &Summary) -> String {
    let servers = summary.servers().into_iter().filter(|server| *server != server.baseline());
    let servers: Vec<_> = servers.collect();
    let group = |route: Route| {
        let bar = |server: &Server| {
            let value = summary.added_cpu(Clients::Many, *server, route)?.max(0.0);
            Some(Bar { label: server.name().to_owned(), class: class(*server), value })
        };
        Group { title: route.name(), bars: servers.iter().filter_map(bar).collect() }
    };
    let subtitle = "microseconds beyond the same framework without sessions; lower is better";
    let groups = [Route::Read, Route::Write, Route::Login].map(group);
    draw("Processor time that the session adds to a request", subtitle, &groups)
}

/// The time of a request by the size of its session.
pub(super) fn growth(sizes: &[Size]) -> String {
    let group = |title, micros: fn(&Size) -> f64| {
        let bar = |size: &Size| {
            let Size { values, bytes_per_value, .. } = size;
            let label = format!("{values} values of {bytes_per_value} bytes");
            Bar { label, class: "pycket", value: micros(size) }
        };
        Group { title, bars: sizes.iter().map(bar).collect() }
    };
    let groups = [
        group("load, and read one small value", |size| size.read_us),
        group("load, and change one small value", |size| size.change_us),
    ];
    let subtitle = "microseconds on Redis, one request after the other";
    draw("A request by the size of its session", subtitle, &groups)
}

fn class(server: Server) -> &'static str {
    match server {
        Server::Floor => "floor",
        Server::PycketMemory | Server::PycketRedis | Server::PycketMemcached => "pycket",
        _ => "peer",
    }
}

fn draw(title: &str, subtitle: &str, groups: &[Group]) -> String {
    let rows: usize = groups.iter().map(|group| group.bars.len()).sum();
    let height = 64.0 + rows as f64 * STEP + groups.len() as f64 * 38.0;
    let values = groups.iter().flat_map(|group| &group.bars).map(|bar| bar.value);
    let scale = (WIDTH - LABELS - FIGURE) / values.fold(1.0, f64::max);

    let mut body = String::new();
    let mut y = 24.0;
    text(&mut body, (16.0, y), "title", title);
    y += 20.0;
    text(&mut body, (16.0, y), "quiet", subtitle);
    for Group { title, bars } in groups {
        y += 34.0;
        text(&mut body, (16.0, y), "title", title);
        y += 10.0;
        for bar in bars {
            draw_bar(&mut body, y, bar, scale);
            y += STEP;
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n<style>{STYLE}\n</style>\n{body}</svg>\n"
    )
}

fn draw_bar(body: &mut String, y: f64, Bar { label, class, value }: &Bar, scale: f64) {
    text(body, (32.0, y + 14.0), "", label);
    let width = (value * scale).max(1.0);
    // A write to a string cannot fail.
    let _ = writeln!(
        body,
        "<rect class=\"{class}\" x=\"{LABELS}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>"
    );
    text(body, (LABELS + width + 8.0, y + 14.0), "quiet", &format!("{value:.1}"));
}

/// The texts contain nothing to escape.
fn text(body: &mut String, (x, y): (f64, f64), class: &str, words: &str) {
    let _ = writeln!(body, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>");
}
