use std::fmt::Write;

use super::summary::{Clients, Summary};
use crate::bench::Route;
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

/// The processor time that sessions add to a request: a group of bars for each route, a bar for each server.
pub(super) fn chart(summary: &Summary) -> String {
    let groups: Vec<_> = [Route::Read, Route::Write, Route::Login]
        .into_iter()
        .map(|route| (route, bars(summary, route)))
        .collect();
    let rows: usize = groups.iter().map(|(_, bars)| bars.len()).sum();
    let height = 64.0 + rows as f64 * STEP + groups.len() as f64 * 38.0;
    let values = groups.iter().flat_map(|(_, bars)| bars).map(|(_, micros)| *micros);
    let scale = (WIDTH - LABELS - FIGURE) / values.fold(1.0, f64::max);

    let mut body = String::new();
    let mut y = 24.0;
    text(&mut body, (16.0, y), "title", "Processor time that the session adds to a request");
    y += 20.0;
    text(
        &mut body,
        (16.0, y),
        "quiet",
        "microseconds beyond the same framework without sessions; lower is better",
    );
    for (route, bars) in &groups {
        y += 34.0;
        text(&mut body, (16.0, y), "title", route.name());
        y += 10.0;
        for (server, micros) in bars {
            bar(&mut body, y, *server, *micros, scale);
            y += STEP;
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"Processor time that the session adds to a request\">\n<style>{STYLE}\n</style>\n{body}</svg>\n"
    )
}

fn bars(summary: &Summary, route: Route) -> Vec<(Server, f64)> {
    let servers = summary.servers().into_iter().filter(|server| *server != server.baseline());
    let added = |server| Some((server, summary.added_cpu(Clients::Many, server, route)?.max(0.0)));
    servers.filter_map(added).collect()
}

fn bar(body: &mut String, y: f64, server: Server, micros: f64, scale: f64) {
    let class = match server {
        Server::Floor => "floor",
        Server::PycketMemory | Server::PycketRedis | Server::PycketMemcached => "pycket",
        _ => "peer",
    };
    text(body, (32.0, y + 14.0), "", server.name());
    let width = (micros * scale).max(1.0);
    // A write to a string cannot fail.
    let _ = writeln!(
        body,
        "<rect class=\"{class}\" x=\"{LABELS}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>"
    );
    text(body, (LABELS + width + 8.0, y + 14.0), "quiet", &format!("{micros:.1}"));
}

/// The texts contain nothing to escape.
fn text(body: &mut String, (x, y): (f64, f64), class: &str, words: &str) {
    let _ = writeln!(body, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>");
}
