use crate::acts::Act;
use crate::world::World;

/// How the requests ran.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run<'a> {
    pub(crate) acts: &'a [Act],
    /// How many calls failed. After a fault a request may not know which of two ended the old id, so both may keep
    /// theirs; the index lists both. A second fault may hit the attempt to undo what the first left: a record that no
    /// client knows and that is not listed, which expires.
    pub(crate) faults: usize,
    /// Whether the store had lost the index, so that only sessions that were changed since are listed.
    pub(crate) was_evicted: bool,
    /// Whether requests that failed dropped their changes.
    pub(crate) gave_up: bool,
}

impl Run<'_> {
    fn has(&self, act: Act) -> bool {
        self.acts.contains(&act)
    }
}

/// What is wrong in the world after these requests.
pub(crate) fn problems(world: &World, run: Run<'_>) -> Vec<&'static str> {
    let (signs_in, expires) = (run.has(Act::SignInAgain), run.has(Act::Expire));
    let has_failed = |act| world.has_failed(act) && (run.gave_up || act == Act::SignInElsewhere);
    let ends = run.acts.iter().any(|act| act.ends());
    let has_ended = run.acts.iter().any(|act| act.ends() && !has_failed(*act));
    let mut live = world.live();
    live.retain(|(id, _)| run.faults < 2 || world.is_known(*id));
    let must_be_listed = |session| !run.was_evicted || world.is_of_the_laptop(session);
    let all_are_listed =
        live.iter().all(|(id, session)| world.is_listed(*id) || !must_be_listed(session));
    let live = live.iter().filter(|(_, session)| world.is_of_the_laptop(session)).count();
    let other = world.issued(Act::SignInAsOther);
    let again = world.issued(Act::SignInAgain);

    let mut problems = Vec::new();
    let mut expect = |is_right: bool, problem| {
        if !is_right {
            problems.push(problem);
        }
    };
    expect(all_are_listed, "a live session is not listed");
    expect(world.bob_is_live(), "the session of another user has ended");
    let ends_all = run.has(Act::EndAll) || run.has(Act::SignInElsewhere);
    let is_certain = !has_failed(Act::SignInElsewhere) && !expires;
    expect(world.phone_is_live() != ends_all || !is_certain, "the user's other session");
    // A sign-in counts as later than what ended the session.
    expect(signs_in || !world.store.has_seen_an_ended_one(), "it was listed again after it ended");
    expect(live == 0 || !has_ended || signs_in, "the session is live");
    let may_have_ended = ends || expires || run.was_evicted && run.faults > 0;
    expect(live > 0 || may_have_ended, "the session has ended");
    let most = if run.faults > 0 { run.acts.len() } else { 1 };
    expect(live <= most, "the session has two live ids");

    let has_other = run.has(Act::SignInAsOther) && !has_failed(Act::SignInAsOther);
    let is_other = |id| world.user_of(id).as_deref() == Some("carol");
    expect(expires || !has_other || !other.is_empty(), "the other user has no cookie");
    expect(expires || other.into_iter().all(is_other), "the other user is not signed in");
    let one_is_live = again.iter().any(|id| world.is_live(*id));
    expect(one_is_live || again.is_empty() || ends || expires, "the sign-in is lost");
    expect(run.acts.len() > 1 || ends || expires || world.cookie_is_live(), "the cookie");
    problems
}
