//! The judgement of one response.

use std::time::Instant;

use crate::http::{Answer, Response};
use crate::lineage::{LATE, Left, Lineage, TABS};

use super::world::World;
use super::{Op, Ticket};

impl World {
    pub(super) fn end(&mut self, ticket: Ticket, answer: &Answer) {
        let now = Instant::now();
        self.count(&format!("{:?}", ticket.op), answer, ticket.sent);
        if let Some(lineage) = self.lineages.get_mut(&ticket.lineage) {
            let is_answered = matches!(answer, Answer::Response(_) | Answer::NotSent);
            let last = if is_answered { now } else { now + LATE };
            lineage.last_use = lineage.last_use.max(last);
            if ticket.op.changes_id() || !matches!(answer, Answer::Response(it) if it.is_ok()) {
                lineage.remember(format!("{:?} {}", ticket.op, answer.summary()));
            }
        }
        if ticket.op.is_ending() {
            self.end_ending(&ticket, answer);
        }
        if ticket.op.changes_id() {
            self.end_rotation(&ticket, answer);
        }
        match answer {
            Answer::Response(response) if response.is_ok() => self.done(&ticket, response),
            Answer::Response(response) => {
                if matches!(response.status, 401 | 409) {
                    self.judge_gone(&ticket, response.status);
                }
                // An update whose reply was lost must not count as one of an ended session.
                let is_undone = ticket.op.is_change() && response.says_ended();
                if is_undone || response.is_certain_refusal() {
                    self.undone(&ticket);
                } else {
                    self.in_doubt(&ticket);
                }
            }
            Answer::NotSent => self.undone(&ticket),
            Answer::Lost | Answer::Hung => self.in_doubt(&ticket),
        }
    }

    fn end_ending(&mut self, ticket: &Ticket, answer: &Answer) {
        let (at, is_undone) = match answer {
            Answer::Response(response) if response.is_ok() => (Some(Instant::now()), false),
            // The session of the request was not live, so that it ended no other.
            Answer::Response(Response { status: 401 | 409, ambiguous: 0, .. }) => (None, true),
            Answer::NotSent => (None, true),
            _ => (None, false),
        };
        let why = match ticket.op {
            Op::SignOut => "a sign-out",
            Op::EndAll => "end_all",
            _ => "end_all_except",
        };
        self.ended(&ticket.ends, is_undone, at, why);
        if ticket.op != Op::SignOut {
            let is_answered = matches!(answer, Answer::Response(_) | Answer::NotSent);
            let now = Instant::now();
            self.user_ended(ticket.lineage, if is_answered { now } else { now + LATE });
        }
    }

    fn end_rotation(&mut self, ticket: &Ticket, answer: &Answer) {
        let is_blurred = self.is_blurred(ticket.sent);
        let Some(lineage) = self.lineages.get_mut(&ticket.lineage) else { return };
        let signs_in = ticket.op == Op::SignInAgain;
        let was_overlapping = lineage.is_count_excused;
        lineage.rotations.end(signs_in);
        let response = match answer {
            Answer::NotSent => return,
            Answer::Response(response) => response,
            Answer::Lost | Answer::Hung => {
                lineage.is_cookie_lost = true;
                lineage.is_excused = true;
                return;
            }
        };
        // One that failed and has a cookie has stored the new id, and may not have stored all that other requests
        // wrote to the old one.
        let has_failed = !response.is_ok() && response.cookie.is_some();
        lineage.is_excused |= response.ambiguous > 0 || has_failed;
        lineage.is_excused |= was_overlapping && response.failed > 0;
        let Some(cookie) = response.cookie.clone().filter(|cookie| !cookie.ends_with('=')) else {
            return;
        };
        // A sign-in beside another rotation is the later one of the two, whichever response comes first.
        let is_earlier = !signs_in && lineage.rotations.sign_ins != ticket.sign_ins;
        let outdated = if is_earlier {
            cookie.clone()
        } else {
            std::mem::replace(&mut lineage.cookie, cookie.clone())
        };
        lineage.earlier.push(outdated.clone());
        lineage.rotations.sign_ins += u64::from(signs_in && response.is_ok());
        let is_certain = response.is_ok() && !lineage.is_excused && !is_blurred;
        let has_ended = lineage.ended.is_some() && !lineage.may_outlive_its_end;
        if response.is_ok() {
            self.is_dead(ticket.cookie.clone(), Instant::now(), "the id changed");
        }
        if is_certain && outdated != ticket.cookie {
            self.is_dead(outdated, Instant::now(), "the user signed in again meanwhile");
        }
        if has_ended {
            self.is_dead(cookie, Instant::now(), "the session ended while its id changed");
        }
    }

    /// The session was live, and the request did what it was asked for.
    fn done(&mut self, ticket: &Ticket, response: &Response) {
        let is_blurred = self.is_blurred(ticket.sent);
        let Some(lineage) = self.lineages.get_mut(&ticket.lineage) else { return };
        let is_late =
            lineage.ended.is_some_and(|ended| ended < ticket.sent) && !lineage.may_outlive_its_end;
        let late = is_late.then(|| format!("{:?} succeeded after the end", ticket.op));
        self.tally.judge("resurrected", is_blurred, late);
        self.tally.judge("lost session", false, None);
        if ticket.op.is_write() {
            lineage.renewed = lineage.renewed.max(ticket.sent);
        }
        let is_excused = lineage.is_excused || is_blurred;
        match ticket.op {
            Op::Increment => {
                let value = response.body.parse().unwrap_or(0);
                let wrong = lineage.count.returned(value, ticket.count);
                let wrong = wrong.map(|text| format!("{text}; {}", lineage.history()));
                let is_excused = is_excused || lineage.is_count_excused;
                self.tally.judge("wrong count", is_excused, wrong);
            }
            Op::Set(value) => lineage.value_stored(ticket.tab, value, ticket.sent),
            Op::Push(note) => {
                if let Some(note) = lineage.notes.get_mut(&note) {
                    note.left = Left::Stored(ticket.sent);
                }
            }
            Op::Read => self.received(ticket.lineage, &response.body),
            Op::List => {
                let is_excused = is_excused || lineage.may_be_gone(Instant::now(), self.idle);
                let missing = (response.body != "listed").then(|| lineage.history());
                self.tally.judge("unlisted", is_excused, missing);
            }
            Op::State { is_alone } => self.judge_state(ticket, &response.body, is_alone),
            Op::Rotate | Op::SignInAgain | Op::SignOut | Op::EndAll | Op::EndOthers => {}
        }
    }

    fn undone(&mut self, ticket: &Ticket) {
        let Some(lineage) = self.lineages.get_mut(&ticket.lineage) else { return };
        match ticket.op {
            Op::Increment => lineage.count.sent -= 1,
            Op::Push(note) => {
                if let Some(note) = lineage.notes.get_mut(&note) {
                    note.left = Left::Refused;
                }
            }
            _ => {}
        }
    }

    fn in_doubt(&mut self, ticket: &Ticket) {
        let Some(lineage) = self.lineages.get_mut(&ticket.lineage) else { return };
        match ticket.op {
            Op::Set(value) => lineage.value_in_doubt(ticket.tab, value, Instant::now() + LATE),
            Op::Read => lineage.are_reads_in_doubt = true,
            _ => {}
        }
    }

    /// The server says that the session is not live.
    fn judge_gone(&mut self, ticket: &Ticket, status: u16) {
        let now = Instant::now();
        let (idle, is_blurred) = (self.idle, self.is_blurred(ticket.sent));
        let Some(lineage) = self.lineages.get_mut(&ticket.lineage) else { return };
        let has_rotated = ticket.was_rotating
            || lineage.rotations.under_way > 0
            || lineage.rotations.sent != ticket.rotations
            || lineage.cookie != ticket.cookie;
        let is_excused = has_rotated || is_blurred || lineage.may_be_gone(now, idle);
        let text = format!("a live session returned {status}; {}", lineage.history());
        self.tally.judge("lost session", is_excused, (!is_excused).then_some(text));
        if !has_rotated && !is_blurred && status == 401 {
            lineage.is_over = true;
            self.end_lineage(ticket.lineage, now, "the server said so");
        }
    }

    fn received(&mut self, number: u64, body: &str) {
        for note in body.split_whitespace().filter_map(|word| word.parse::<u64>().ok()) {
            if Lineage::of_note(note) != number {
                let text = format!("notification {note} came to session {number}");
                self.tally.find("foreign notification", text);
                continue;
            }
            let notes = self.lineages.get_mut(&number).map(|lineage| &mut lineage.notes);
            let Some(known) = notes.and_then(|notes| notes.get_mut(&note)) else { continue };
            let doubled = known.was_received.then(|| format!("{note} was handed out twice"));
            let kept = (known.left == Left::Refused)
                .then(|| format!("{note} was refused, and handed out all the same"));
            known.was_received = true;
            self.tally.judge("doubled notification", false, doubled);
            self.tally.judge("refused notification", false, kept);
        }
    }

    fn judge_state(&mut self, ticket: &Ticket, body: &str, is_alone: bool) {
        let is_blurred = self.is_blurred(ticket.sent);
        let Some(lineage) = self.lineages.get(&ticket.lineage) else { return };
        let value = |name: &str| {
            let mut words = body.split(' ').filter_map(|word| word.split_once('='));
            words.find(|(found, _)| *found == name).and_then(|(_, value)| value.parse::<u64>().ok())
        };
        let is_excused =
            lineage.is_excused || is_blurred || lineage.rotations.may_be_late(ticket.rotations);
        let explain = |text: String| format!("{text}; {}", lineage.history());
        let count = lineage.count.check(value("count").unwrap_or(0), ticket.count).map(explain);
        self.tally.judge("wrong count", is_excused || lineage.is_count_excused, count);
        for tab in (0..TABS).filter(|tab| is_alone || *tab == ticket.tab) {
            let wrong = lineage.check_value(tab, value(&format!("tab{tab}"))).map(explain);
            self.tally.judge("lost write", is_excused, wrong);
        }
        let user = format!("user=user{} ", lineage.user);
        let foreign = (!format!("{body} ").starts_with(&user)).then(|| body.to_owned());
        self.tally.judge("wrong user", false, foreign);
    }

    pub(super) fn judge_notes(&mut self, number: u64) {
        let Some(lineage) = self.lineages.get(&number) else { return };
        let now = Instant::now();
        let is_excused = lineage.is_excused
            || lineage.are_reads_in_doubt
            || lineage.may_be_gone(now, self.idle)
            || self.is_blurred(lineage.begun);
        for (number, note) in &lineage.notes {
            let Left::Stored(sent) = note.left else { continue };
            // A notification lives as long as its session had to live when it was left.
            let may_have_expired = now.duration_since(sent).as_secs() + 3 > self.idle.as_secs();
            let is_excused = is_excused || may_have_expired && !note.was_received;
            let lost = (!note.was_received)
                .then(|| format!("{number} was never handed out; {}", lineage.history()));
            self.tally.judge("lost notification", is_excused, lost);
        }
    }
}
