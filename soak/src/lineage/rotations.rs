/// The requests that give a session another id: changes of the id, and sign-ins of the user who is signed in.
#[derive(Debug, Default)]
pub(crate) struct Rotations {
    pub(crate) sent: u64,
    pub(crate) under_way: usize,
    /// The sign-ins that succeeded, and whether one is under way.
    pub(crate) sign_ins: u64,
    pub(crate) is_signing_in: bool,
    /// Those since none was under way, and whether one of them is a sign-in.
    together: usize,
    one_signs_in: bool,
}

impl Rotations {
    pub(super) fn begin(&mut self, signs_in: bool) {
        if self.under_way == 0 {
            (self.together, self.one_signs_in) = (0, false);
        }
        self.sent += 1;
        self.under_way += 1;
        self.together += 1;
        self.one_signs_in |= signs_in;
        self.is_signing_in |= signs_in;
    }

    pub(crate) fn end(&mut self, signs_in: bool) {
        self.under_way = self.under_way.saturating_sub(1);
        self.is_signing_in &= !signs_in;
    }

    /// How many run at the same time, if one of them is a sign-in.
    pub(super) fn beside_a_sign_in(&self) -> usize {
        if self.one_signs_in { self.together } else { 0 }
    }

    /// Whether one beside a sign-in may still have to write what others wrote to its old record. `since` says how many
    /// had been sent.
    pub(crate) fn may_be_late(&self, since: u64) -> bool {
        self.one_signs_in && (self.under_way > 0 || self.sent != since)
    }
}
