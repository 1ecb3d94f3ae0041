use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::AddAssign;

use crate::names::digest_of;
use crate::requests::{Kind, Then};
use crate::world::{Choice, Setting, World};

/// More choices than any run has.
const MAX_CHOICES: usize = 120;

/// What is explored: three requests and what they begin with.
pub(crate) struct Plan<'s> {
    pub(crate) setting: &'s Setting,
    pub(crate) kinds: [Kind; 3],
    pub(crate) then: Then,
    /// Whether one call fails, each in turn and in every way.
    pub(crate) with_fault: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) states: usize,
    /// How many states are the last of a run.
    pub(crate) ends: usize,
    pub(crate) runs: usize,
    /// The most calls of a run.
    pub(crate) longest: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.states += other.states;
        self.ends += other.ends;
        self.runs += other.runs;
        self.longest = self.longest.max(other.longest);
    }
}

/// The first state that a check objects to, and the choices that lead there.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) problem: &'static str,
    pub(crate) choices: Vec<Choice>,
}

/// A state on the present path, and the choices that are explored from it.
struct Fork {
    choices: Vec<Choice>,
    at: usize,
    /// Choices that were explored before, in another order. The same states follow from them.
    asleep: Vec<Choice>,
}

impl Plan<'_> {
    /// Visits every state that some order of the calls reaches, each once, and shows it to `check`, with whether all
    /// requests have finished.
    ///
    /// The futures of the requests cannot be copied. So after a state that is known, all calls of the path up to the
    /// next fork are made again, from the beginning.
    pub(crate) fn explore(
        &self,
        check: impl Fn(&World, bool) -> Option<&'static str>,
    ) -> Result<Counts, Finding> {
        let mut visited: HashMap<u64, Box<[u32]>> = HashMap::new();
        let mut path: Vec<Fork> = Vec::new();
        let mut counts = Counts::default();
        loop {
            counts.runs += 1;
            let mut world = World::new(self.setting, self.kinds, self.then);
            for fork in &path {
                world.step(fork.choices[fork.at]);
            }
            loop {
                let asleep = path.last().map_or_else(Vec::new, |fork| fork.next_asleep(&world));
                let enabled = world.choices(self.with_fault);
                let (is_new, choices) = visit(&mut visited, world.digest(), &enabled, &asleep);
                if is_new {
                    counts.states += 1;
                    counts.ends += usize::from(enabled.is_empty());
                    counts.longest = counts.longest.max(path.len());
                    if let Some(problem) = check(&world, enabled.is_empty()) {
                        let choices = path.iter().map(|fork| fork.choices[fork.at]).collect();
                        return Err(Finding { problem, choices });
                    }
                }
                let Some(&first) = choices.first() else { break };
                assert!(path.len() < MAX_CHOICES, "the requests do not come to an end");
                path.push(Fork { choices, at: 0, asleep });
                world.step(first);
            }
            while path.last_mut().is_some_and(|fork| !fork.advance()) {
                path.pop();
            }
            if path.is_empty() {
                return Ok(counts);
            }
        }
    }
}

/// Whether the state is new, and the choices that are still to be explored from it.
///
/// The sleep sets of P. Godefroid ("Partial-Order Methods for the Verification of Concurrent Systems", 1996) leave
/// out no state, only ways to states that are reached in another way as well.
fn visit(
    visited: &mut HashMap<u64, Box<[u32]>>,
    state: u64,
    enabled: &[Choice],
    asleep: &[Choice],
) -> (bool, Vec<Choice>) {
    let mut sleeping: Vec<u32> = asleep.iter().map(short).collect();
    match visited.entry(state) {
        Entry::Vacant(entry) => {
            let awake = enabled.iter().filter(|choice| !sleeping.contains(&short(choice)));
            let awake = awake.copied().collect();
            entry.insert(sleeping.into());
            (true, awake)
        }
        Entry::Occupied(mut entry) => {
            let before = entry.get();
            let woken = |choice: &&Choice| {
                before.contains(&short(choice)) && !sleeping.contains(&short(choice))
            };
            let woken = enabled.iter().filter(woken).copied().collect();
            sleeping.retain(|choice| before.contains(choice));
            entry.insert(sleeping.into());
            (false, woken)
        }
    }
}

/// A short form of a choice, distinct among those of one state.
#[expect(clippy::cast_possible_truncation, reason = "a hash")]
fn short(choice: &Choice) -> u32 {
    digest_of(choice) as u32
}

impl Fork {
    /// What need not be explored after the present choice, because it was explored before it.
    fn next_asleep(&self, world: &World) -> Vec<Choice> {
        let chosen = &self.choices[self.at];
        self.asleep.iter().filter(|one| world.are_independent(one, chosen)).copied().collect()
    }

    /// Goes on to the next choice, if there is one.
    fn advance(&mut self) -> bool {
        self.asleep.push(self.choices[self.at]);
        self.at += 1;
        self.at < self.choices.len()
    }
}
