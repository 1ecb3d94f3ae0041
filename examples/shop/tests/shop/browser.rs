use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A Chromium without a window. It takes commands (the Chrome DevTools Protocol) from one pipe and answers in
/// another, so it ends with the test process.
pub(crate) struct Browser {
    process: Child,
    commands: File,
    answers: BufReader<File>,
    /// What happened since it was last asked for.
    events: VecDeque<Value>,
    last_id: u64,
    _pipes: TempDir,
}

pub(crate) struct Tab {
    /// The DevTools session, to which commands for the tab are sent.
    session: String,
    /// The window with which it shares its cookies.
    window: Value,
}

const ARGUMENTS: [&str; 8] = [
    "--headless=new",
    // The sandbox needs rights that containers and root do not have. The tests show only the shop.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--password-store=basic",
    "--remote-debugging-pipe",
];

/// The name of the installed program, if there is one.
fn program() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    names.into_iter().find(|name| {
        let found = Command::new("sh").args(["-c", "command -v \"$0\"", name]).output().unwrap();
        found.status.success()
    })
}

impl Browser {
    /// Starts the browser with the cookies of this profile. `None` if no Chromium is installed.
    pub(crate) fn start(profile: &Path) -> Option<Self> {
        let Some(program) = program() else {
            // Not by a macro, because the test harness would hide it.
            let _ = writeln!(std::io::stderr(), "skipped: no Chromium is installed");
            return None;
        };
        let pipes = tempfile::tempdir().unwrap();
        let [commands, answers] = ["commands", "answers"].map(|name| pipes.path().join(name));
        assert!(Command::new("mkfifo").args([&commands, &answers]).status().unwrap().success());
        let process = Command::new("sh")
            .current_dir(pipes.path())
            .args(["-c", "exec \"$@\" 3<commands 4>answers", "sh", program])
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // In the order of the shell, because opening waits for the other end.
        let commands = File::options().write(true).open(commands).unwrap();
        let answers = BufReader::new(File::open(answers).unwrap());
        let events = VecDeque::new();
        Some(Self { process, commands, answers, events, last_id: 0, _pipes: pipes })
    }

    /// Opens a tab that has the cookies of the profile.
    pub(crate) fn open(&mut self, url: &str) -> Tab {
        self.open_in(Value::Null, url)
    }

    /// Opens a tab in a new private window, which has cookies of its own.
    pub(crate) fn open_private(&mut self, url: &str) -> Tab {
        let mut window = self.command(None, "Target.createBrowserContext", json!({}));
        self.open_in(window["browserContextId"].take(), url)
    }

    /// Opens another tab in the same window.
    pub(crate) fn open_beside(&mut self, tab: &Tab, url: &str) -> Tab {
        self.open_in(tab.window.clone(), url)
    }

    fn open_in(&mut self, window: Value, url: &str) -> Tab {
        let mut target = json!({ "url": "about:blank" });
        if !window.is_null() {
            target["browserContextId"] = window.clone();
        }
        let target = self.command(None, "Target.createTarget", target);
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.command(None, "Target.attachToTarget", attach);
        let tab = Tab { session: session["sessionId"].as_str().unwrap().to_owned(), window };
        self.command(Some(&tab), "Page.enable", json!({}));
        self.go(&tab, url);
        tab
    }

    pub(crate) fn go(&mut self, tab: &Tab, url: &str) {
        self.events.clear();
        self.command(Some(tab), "Page.navigate", json!({ "url": url }));
        self.wait_for_page(tab);
    }

    pub(crate) fn reload(&mut self, tab: &Tab) {
        self.events.clear();
        self.command(Some(tab), "Page.reload", json!({}));
        self.wait_for_page(tab);
    }

    /// Clicks the first element of this CSS selector, and waits for the page to which that leads.
    pub(crate) fn click(&mut self, tab: &Tab, selector: &str) {
        self.events.clear();
        self.evaluate(tab, &format!("document.querySelector({selector:?}).click()"));
        self.wait_for_page(tab);
    }

    pub(crate) fn fill(&mut self, tab: &Tab, selector: &str, text: &str) {
        self.evaluate(tab, &format!("document.querySelector({selector:?}).value = {text:?}"));
    }

    pub(crate) fn check(&mut self, tab: &Tab, selector: &str) {
        self.evaluate(tab, &format!("document.querySelector({selector:?}).checked = true"));
    }

    /// The visible text of the page.
    pub(crate) fn text(&mut self, tab: &Tab) -> String {
        self.evaluate(tab, "document.body.innerText").as_str().unwrap().to_owned()
    }

    /// The path of the page.
    pub(crate) fn path(&mut self, tab: &Tab) -> String {
        self.evaluate(tab, "location.pathname").as_str().unwrap().to_owned()
    }

    /// Ends the browser as a user does, so that it keeps persistent cookies and forgets the others.
    pub(crate) fn quit(mut self) {
        self.command(None, "Browser.close", json!({}));
        self.process.wait().unwrap();
    }

    /// The value of an expression.
    pub(crate) fn evaluate(&mut self, tab: &Tab, expression: &str) -> Value {
        let expression = json!({ "expression": expression, "returnByValue": true });
        let result = self.command(Some(tab), "Runtime.evaluate", expression);
        assert!(result.get("exceptionDetails").is_none(), "{result}");
        result["result"]["value"].clone()
    }

    fn command(&mut self, tab: Option<&Tab>, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": params });
        if let Some(tab) = tab {
            message["sessionId"] = json!(tab.session);
        }
        self.commands.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut answer = self.message();
            if answer["id"] == self.last_id {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].take();
            }
            self.events.push_back(answer);
        }
    }

    fn wait_for_page(&mut self, tab: &Tab) {
        loop {
            let event = self.events.pop_front().unwrap_or_else(|| self.message());
            if event["method"] == "Page.loadEventFired" && event["sessionId"] == *tab.session {
                return;
            }
        }
    }

    fn message(&mut self) -> Value {
        let mut message = Vec::new();
        self.answers.read_until(0, &mut message).unwrap();
        assert!(message.pop().is_some(), "the browser has ended");
        serde_json::from_slice(&message).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
