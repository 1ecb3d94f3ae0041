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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use crate::lineage::Lineage;

    fn lineage() -> Lineage {
        Lineage::new(1, 0, "cookie".to_owned(), Instant::now())
    }

    #[test]
    fn only_a_rotation_beside_a_sign_in_excuses_the_count() {
        for (first, second, expected) in
            [(false, false, false), (false, true, true), (true, false, true)]
        {
            let mut lineage = lineage();
            lineage.begin_rotation(first);
            lineage.begin_rotation(second);
            assert_eq!(lineage.is_count_excused, expected, "{first} {second}");
            assert!(!lineage.is_excused);
        }
    }

    #[test]
    fn sign_in_after_a_rotation_excuses_nothing() {
        let mut lineage = lineage();
        lineage.begin_rotation(false);
        lineage.rotations.end(false);
        lineage.begin_rotation(true);
        assert!(!lineage.is_count_excused && !lineage.is_excused);
    }

    #[test]
    fn sign_in_beside_two_rotations_excuses_all() {
        let mut lineage = lineage();
        for signs_in in [false, true, false] {
            lineage.begin_rotation(signs_in);
        }
        assert!(lineage.is_excused);
    }

    #[test]
    fn sign_in_beside_an_end_may_outlive_it() {
        for ends_first in [false, true] {
            let mut lineage = lineage();
            if ends_first {
                lineage.begin_ending();
            }
            lineage.begin_rotation(true);
            if !ends_first {
                lineage.begin_ending();
            }
            assert!(lineage.may_outlive_its_end, "{ends_first}");
        }
    }
}
