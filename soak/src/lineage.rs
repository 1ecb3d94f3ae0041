//! What the oracle knows of one session, from its sign-in to its end, under all its ids.

mod rotations;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use rotations::Rotations;

/// Each browser sends so many requests at the same time.
pub(crate) const TABS: usize = 3;

/// A request without a response has done what it does after this time, or never does it.
pub(crate) const LATE: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub(crate) struct Lineage {
    pub(crate) user: usize,
    /// When the response to the sign-in came.
    pub(crate) begun: Instant,
    pub(crate) cookie: String,
    pub(crate) earlier: Vec<String>,
    pub(crate) rotations: Rotations,
    /// Whether the session was ended while it signed in. That sign-in may count as later.
    pub(crate) may_outlive_its_end: bool,
    /// Whether a sign-in and another rotation ran at the same time. Of two changes of one value one may be lost then,
    /// which is a known limit. Each tab sets a value of its own, so only the count is affected.
    pub(crate) is_count_excused: bool,
    /// Whether a rotation had no response, so that the client may not know its cookie.
    pub(crate) is_cookie_lost: bool,
    /// How many requests that end this session are under way.
    pub(crate) endings: usize,
    /// Whether such a request had no clear result.
    pub(crate) may_have_ended: bool,
    /// Since when the session has certainly ended.
    pub(crate) ended: Option<Instant>,
    /// Whether the client has learned that the session is not live.
    pub(crate) is_over: bool,
    /// Whether a rotation may have lost a write at the same time: the reply to the delete of the old id is lost, or
    /// the store failed after that delete. Both are known limits.
    pub(crate) is_excused: bool,
    /// Whether a request that reads notifications had no clear result.
    pub(crate) are_reads_in_doubt: bool,
    /// When the last acknowledged write was sent, and when the last request can have been carried out.
    pub(crate) renewed: Instant,
    pub(crate) last_use: Instant,
    pub(crate) count: Count,
    slots: BTreeMap<usize, Slot>,
    pub(crate) notes: HashMap<u64, Note>,
    next_note: u64,
    /// The last responses to rotations, and the last failures, to explain a finding.
    history: VecDeque<(Instant, String)>,
}

/// The increments.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) acknowledged: u64,
    /// Those that may have been carried out.
    pub(crate) sent: u64,
    returned: HashSet<u64>,
}

/// A value that only one tab sets.
#[derive(Debug, Default)]
struct Slot {
    next: u64,
    acknowledged: Option<u64>,
    /// Values that may have been stored, and until when they may still be.
    in_doubt: Vec<(u64, Instant)>,
}

#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) left: Left,
    pub(crate) was_received: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// There is no clear result yet.
    InDoubt,
    /// Acknowledged; the request was sent at this time.
    Stored(Instant),
    Refused,
}

impl Lineage {
    pub(crate) fn new(number: u64, user: usize, cookie: String, begun: Instant) -> Self {
        Self {
            user,
            begun,
            cookie,
            earlier: Vec::new(),
            rotations: Rotations::default(),
            may_outlive_its_end: false,
            is_count_excused: false,
            is_cookie_lost: false,
            endings: 0,
            may_have_ended: false,
            ended: None,
            is_over: false,
            is_excused: false,
            are_reads_in_doubt: false,
            renewed: begun,
            last_use: begun,
            count: Count::default(),
            slots: BTreeMap::new(),
            notes: HashMap::new(),
            next_note: number * 1_000_000,
            history: VecDeque::new(),
        }
    }

    /// The lineage to which a notification belongs.
    pub(crate) fn of_note(note: u64) -> u64 {
        note / 1_000_000
    }

    pub(crate) fn next_note(&mut self) -> u64 {
        self.next_note += 1;
        self.notes.insert(self.next_note, Note { left: Left::InDoubt, was_received: false });
        self.next_note
    }

    /// A request is sent that gives the session another id.
    pub(crate) fn begin_rotation(&mut self, signs_in: bool) {
        self.rotations.begin(signs_in);
        if signs_in && (self.endings > 0 || self.may_have_ended) {
            self.signs_in_beside_an_end();
        }
        let together = self.rotations.beside_a_sign_in();
        self.is_count_excused |= together > 1;
        // With a third rotation other writes may be lost, too.
        self.is_excused |= together > 2;
    }

    /// A request is sent that ends the session.
    pub(crate) fn begin_ending(&mut self) {
        self.endings += 1;
        if self.rotations.is_signing_in {
            self.signs_in_beside_an_end();
        }
    }

    /// The store begins to lose all sessions.
    pub(crate) fn begin_emptying(&mut self) {
        self.may_have_ended = true;
        if self.rotations.is_signing_in {
            self.signs_in_beside_an_end();
        }
    }

    /// The sign-in may count as later. Then the session has what it had when the sign-in began.
    fn signs_in_beside_an_end(&mut self) {
        self.may_outlive_its_end = true;
        self.is_excused = true;
    }

    /// How many notifications may be unread.
    pub(crate) fn unread(&self) -> usize {
        let may_be_unread = |note: &&Note| !note.was_received && note.left != Left::Refused;
        self.notes.values().filter(may_be_unread).count()
    }

    pub(crate) fn remember(&mut self, event: String) {
        if self.history.len() >= 6 {
            self.history.pop_front();
        }
        self.history.push_back((Instant::now(), event));
    }

    /// What happened last, the newest first.
    pub(crate) fn history(&self) -> String {
        let events = self.history.iter().rev();
        let shown = events.map(|(at, it)| format!("{:.2} s ago {it}", at.elapsed().as_secs_f32()));
        shown.collect::<Vec<_>>().join(", ")
    }

    /// Whether little can be judged any more.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.is_excused || self.are_reads_in_doubt || self.may_have_ended || self.is_cookie_lost
    }

    /// Whether the session may not be live although no request ended it.
    pub(crate) fn may_be_gone(&self, now: Instant, idle: Duration) -> bool {
        let margin = Duration::from_secs(3);
        self.ended.is_some()
            || self.endings > 0
            || self.may_have_ended
            || self.is_cookie_lost
            || now + margin > self.renewed + idle
    }

    pub(crate) fn next_value(&mut self, tab: usize) -> u64 {
        let slot = self.slots.entry(tab).or_default();
        slot.next += 1;
        slot.next
    }

    pub(crate) fn value_stored(&mut self, tab: usize, value: u64, sent: Instant) {
        let slot = self.slots.entry(tab).or_default();
        slot.acknowledged = Some(value);
        slot.in_doubt.retain(|(_, until)| *until > sent);
    }

    pub(crate) fn value_in_doubt(&mut self, tab: usize, value: u64, until: Instant) {
        self.slots.entry(tab).or_default().in_doubt.push((value, until));
    }

    /// Says what is wrong if the tab's value cannot be this one.
    pub(crate) fn check_value(&self, tab: usize, found: Option<u64>) -> Option<String> {
        let slot = self.slots.get(&tab)?;
        let may_be_found = |value| slot.in_doubt.iter().any(|(in_doubt, _)| *in_doubt == value);
        if found == slot.acknowledged || found.is_some_and(may_be_found) {
            return None;
        }
        Some(format!("value of tab {tab} is {found:?}, acknowledged was {:?}", slot.acknowledged))
    }
}

impl Count {
    /// Says what is wrong with the result of an increment. `before` were acknowledged when it was sent.
    pub(crate) fn returned(&mut self, value: u64, before: u64) -> Option<String> {
        self.acknowledged += 1;
        let is_new = self.returned.insert(value);
        if is_new { self.check(value, before + 1) } else { Some(format!("{value} returned twice")) }
    }

    /// Says what is wrong if the count is below `least` or above what was sent.
    pub(crate) fn check(&self, found: u64, least: u64) -> Option<String> {
        if found < least {
            return Some(format!("{found} counted of at least {least}"));
        }
        (found > self.sent).then(|| format!("{found} counted of at most {}", self.sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage() -> Lineage {
        Lineage::new(7, 0, "cookie".to_owned(), Instant::now())
    }

    #[test]
    fn count_below_the_acknowledged_increments_is_wrong() {
        let count = Count { acknowledged: 2, sent: 4, ..Count::default() };
        assert!(count.check(1, count.acknowledged).is_some());
        for possible in 2..=4 {
            assert_eq!(count.check(possible, count.acknowledged), None);
        }
        assert!(count.check(5, count.acknowledged).is_some());
    }

    #[test]
    fn increment_that_returns_a_number_again_is_wrong() {
        let mut count = Count { sent: 2, ..Count::default() };
        assert_eq!(count.returned(1, 0), None);
        assert!(count.returned(1, 0).is_some());
    }

    #[test]
    fn value_in_doubt_is_possible_until_a_later_one_is_acknowledged() {
        let mut lineage = lineage();
        let (now, later) = (Instant::now(), Instant::now() + LATE);
        lineage.value_stored(0, 1, now);
        lineage.value_in_doubt(0, 2, later);
        assert_eq!(lineage.check_value(0, Some(1)), None);
        assert_eq!(lineage.check_value(0, Some(2)), None);
        lineage.value_stored(0, 3, later + LATE);
        assert!(lineage.check_value(0, Some(2)).is_some());
        assert!(lineage.check_value(0, None).is_some());
    }

    #[test]
    fn notification_names_its_lineage() {
        let mut lineage = lineage();
        let note = lineage.next_note();
        assert_eq!(Lineage::of_note(note), 7);
    }
}
