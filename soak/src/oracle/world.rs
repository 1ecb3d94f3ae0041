use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::http::{Answer, Response};
use crate::lineage::{LATE, Lineage};

use super::{Op, Probe, SignIn, Tally, Ticket};

/// So many cookies that must not be live are kept.
const DEAD: usize = 5000;

/// Everything that the oracle knows.
#[derive(Debug)]
pub(super) struct World {
    pub(super) idle: Duration,
    pub(super) lineages: HashMap<u64, Lineage>,
    next_lineage: u64,
    /// By user: what ends all sessions of the user.
    endings: HashMap<usize, Endings>,
    /// What empties the store.
    emptyings: Endings,
    pub(super) dead: VecDeque<Dead>,
    /// When a server that is no primary any more may have answered.
    blurs: Vec<(Instant, Option<Instant>)>,
    pub(super) tally: Tally,
}

#[derive(Debug, Default)]
struct Endings {
    under_way: usize,
    last: Option<Instant>,
}

impl Endings {
    fn overlap(&self, since: Instant) -> bool {
        self.under_way > 0 || self.last.is_some_and(|last| last > since)
    }

    fn end(&mut self, at: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        self.last = self.last.max(Some(at));
    }
}

/// A cookie that must not be live from this time on.
#[derive(Debug)]
pub(super) struct Dead {
    cookie: String,
    since: Instant,
    why: &'static str,
}

impl World {
    pub(super) fn new(idle: Duration) -> Self {
        Self {
            idle,
            lineages: HashMap::new(),
            next_lineage: 1,
            endings: HashMap::new(),
            emptyings: Endings::default(),
            dead: VecDeque::new(),
            blurs: Vec::new(),
            tally: Tally::new(),
        }
    }

    pub(super) fn begin(&mut self, number: u64, tab: usize, op: Op) -> Option<Ticket> {
        let lineage = self.lineages.get_mut(&number)?;
        let was_rotating = lineage.rotations.under_way > 0;
        match op {
            // Of two at the same time the client would not know which one is later.
            Op::SignInAgain if lineage.rotations.is_signing_in => return None,
            Op::Rotate | Op::SignInAgain => lineage.begin_rotation(op == Op::SignInAgain),
            Op::Increment => lineage.count.sent += 1,
            _ => {}
        }
        let (user, cookie) = (lineage.user, lineage.cookie.clone());
        let (rotations, count) = (lineage.rotations.sent, lineage.count.acknowledged);
        let sign_ins = lineage.rotations.sign_ins;
        let ends: Vec<u64> = match op {
            Op::SignOut => vec![number],
            Op::EndAll | Op::EndOthers => {
                self.endings.entry(user).or_default().under_way += 1;
                let of_user = self.lineages.iter().filter(|(_, it)| it.user == user);
                let all = of_user.map(|(number, _)| *number);
                all.filter(|it| op == Op::EndAll || *it != number).collect()
            }
            _ => Vec::new(),
        };
        for ended in &ends {
            self.lineages.get_mut(ended).into_iter().for_each(Lineage::begin_ending);
        }
        let sent = Instant::now();
        Some(Ticket {
            op,
            cookie,
            tab,
            lineage: number,
            sent,
            rotations,
            was_rotating,
            sign_ins,
            count,
            ends,
        })
    }

    pub(super) fn begin_sign_in(&mut self, user: usize, old: Option<u64>) -> SignIn {
        let old = old.filter(|old| self.lineages.get(old).is_some_and(|it| it.user != user));
        let lineage = old.and_then(|old| self.lineages.get_mut(&old));
        let cookie = lineage.map(|lineage| {
            lineage.begin_ending();
            lineage.cookie.clone()
        });
        SignIn { user, cookie, old, sent: Instant::now() }
    }

    pub(super) fn end_sign_in(&mut self, sign_in: SignIn, answer: &Answer) -> Option<u64> {
        let now = Instant::now();
        self.count("a sign-in", answer, sign_in.sent);
        let ends: Vec<u64> = sign_in.old.into_iter().collect();
        let response = match answer {
            Answer::Response(response) if response.is_ok() => response,
            _ => {
                self.ended(&ends, matches!(answer, Answer::NotSent), None, "");
                return None;
            }
        };
        self.ended(&ends, false, Some(now), "another user signed in");
        let Some(cookie) = response.cookie.clone() else {
            self.tally.find("no cookie", "a sign-in succeeded without a cookie".to_owned());
            return None;
        };
        let number = self.next_lineage;
        self.next_lineage += 1;
        self.tally.sessions += 1;
        let mut lineage = Lineage::new(number, sign_in.user, cookie, now);
        lineage.renewed = sign_in.sent;
        let endings = self.endings.entry(sign_in.user).or_default();
        lineage.may_have_ended =
            endings.overlap(sign_in.sent) || self.emptyings.overlap(sign_in.sent);
        self.lineages.insert(number, lineage);
        Some(number)
    }

    /// A request that ends these sessions has ended: they have ended since `at`, or it did nothing, or nothing is
    /// known.
    pub(super) fn ended(
        &mut self,
        ends: &[u64],
        is_undone: bool,
        at: Option<Instant>,
        why: &'static str,
    ) {
        for number in ends {
            let Some(lineage) = self.lineages.get_mut(number) else { continue };
            lineage.endings = lineage.endings.saturating_sub(1);
            match at {
                Some(at) => self.end_lineage(*number, at, why),
                None => lineage.may_have_ended |= !is_undone,
            }
        }
    }

    pub(super) fn user_ended(&mut self, number: u64, at: Instant) {
        let user = self.lineages.get(&number).map(|lineage| lineage.user);
        if let Some(endings) = user.and_then(|user| self.endings.get_mut(&user)) {
            endings.end(at);
        }
    }

    pub(super) fn end_lineage(&mut self, number: u64, at: Instant, why: &'static str) {
        let Some(lineage) = self.lineages.get_mut(&number) else { return };
        if lineage.ended.is_none() {
            lineage.ended = Some(at);
            if lineage.may_outlive_its_end {
                return;
            }
            let cookies = [&[lineage.cookie.clone()][..], &lineage.earlier].concat();
            cookies.into_iter().for_each(|cookie| self.is_dead(cookie, at, why));
        }
    }

    pub(super) fn is_dead(&mut self, cookie: String, since: Instant, why: &'static str) {
        if self.dead.len() >= DEAD {
            self.dead.pop_front();
        }
        self.dead.push_back(Dead { cookie, since, why });
    }

    pub(super) fn abandon(&mut self, number: u64) {
        let Some(lineage) = self.lineages.remove(&number) else { return };
        if lineage.ended.is_some() {
            return;
        }
        // What was written last may have taken some time, and a record ends within a second.
        let since = lineage.last_use + self.idle + Duration::from_secs(2);
        for cookie in lineage.earlier.into_iter().chain([lineage.cookie]) {
            self.is_dead(cookie, since, "it was not used for its idle timeout");
        }
    }

    /// One of the cookies that must not be live; half of the time one of the last.
    pub(super) fn probe(&self, random: u64) -> Option<Probe> {
        let count = self.dead.len();
        let chosen_from = if random.is_multiple_of(2) { count } else { count.min(30) };
        let age = usize::try_from(random / 2).ok()?.checked_rem(chosen_from)?;
        let dead = self.dead.iter().nth_back(age)?;
        let sent = Instant::now();
        (dead.since < sent).then(|| Probe {
            cookie: dead.cookie.clone(),
            why: dead.why,
            since: dead.since,
            sent,
        })
    }

    pub(super) fn end_probe(&mut self, probe: &Probe, answer: &Answer) {
        self.count("a probe", answer, probe.sent);
        let Answer::Response(Response { status: 200 | 401, body, .. }) = answer else { return };
        self.tally.probes += 1;
        let is_live = body.starts_with("user=");
        let age = probe.sent.duration_since(probe.since).as_secs_f32();
        let text = || format!("live {age:.1} s after {}: {body}", probe.why);
        let is_excused = self.is_blurred(probe.sent);
        self.tally.judge("resurrected", is_excused, is_live.then(text));
    }

    pub(super) fn begin_emptying(&mut self) -> Instant {
        self.emptyings.under_way += 1;
        self.lineages.values_mut().for_each(Lineage::begin_emptying);
        Instant::now()
    }

    pub(super) fn end_emptying(&mut self, begun: Instant) {
        let now = Instant::now();
        self.emptyings.end(now);
        let gone = self.lineages.iter().filter(|(_, lineage)| lineage.begun < begun);
        let gone: Vec<u64> = gone.map(|(number, _)| *number).collect();
        for number in gone {
            self.end_lineage(number, now, "the store was emptied");
        }
    }

    pub(super) fn begin_blur(&mut self) {
        self.blurs.push((Instant::now(), None));
    }

    pub(super) fn end_blur(&mut self, until: Instant) {
        if let Some((_, end)) = self.blurs.last_mut() {
            *end = Some(until);
        }
        self.blurs.retain(|(_, end)| end.is_none_or(|end| end.elapsed() < LATE * 4));
    }

    /// Whether a server that is no primary any more may have answered a request that was sent then.
    pub(super) fn is_blurred(&self, sent: Instant) -> bool {
        self.blurs.iter().any(|(_, end)| end.is_none_or(|end| end > sent))
    }

    /// Counts a request, and judges how long it took.
    pub(super) fn count(&mut self, request: &str, answer: &Answer, sent: Instant) {
        self.tally.requests += 1;
        match answer {
            Answer::Response(response) if response.is_ok() => self.tally.acknowledged += 1,
            Answer::Response(response) if response.is_certain_refusal() => self.tally.refused += 1,
            Answer::Response(_) | Answer::Lost => self.tally.in_doubt += 1,
            Answer::NotSent => self.tally.refused += 1,
            Answer::Hung => {
                self.tally.find("hung", format!("no response to {request} in time"));
            }
        }
        if let Answer::Response(response) = answer {
            self.tally.took(request, sent.elapsed());
            if response.status == 500 {
                self.tally.find("server error", format!("{request}: {}", response.body));
            }
        }
    }
}
