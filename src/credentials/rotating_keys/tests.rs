use super::*;
use crate::secret::Secret;

fn keys() -> RotatingKeys<Secret> {
    RotatingKeys::of(Secret::new("one"))
}

fn numbers(keys: &RotatingKeys<Secret>) -> Vec<u32> {
    keys.active.iter().map(RotatingKey::number).collect()
}

/// Kept and read again, as after a kill.
fn read_again(keys: &RotatingKeys<Secret>) -> RotatingKeys<Secret> {
    serde_json::from_str(&serde_json::to_string(keys).unwrap()).unwrap()
}

fn rotated() -> RotatingKeys<Secret> {
    let mut keys = keys();
    keys.begin_rotation(Secret::new("two"));
    while keys.advance() {}
    keys
}

#[test]
fn a_key_is_read_before_it_writes_and_the_old_one_is_kept() {
    let mut keys = keys();
    let mut steps = Vec::new();
    keys.begin_rotation(Secret::new("two"));
    while let Some(step) = keys.next_step() {
        steps.push((step, numbers(&keys)));
        // A second one doesn't begin meanwhile.
        keys = read_again(&keys);
        keys.begin_rotation(Secret::new("three"));
        keys.advance();
    }
    let expected = [
        (RotationStep::Add, vec![1, 2]),
        (RotationStep::Switch, vec![2, 1]),
        (RotationStep::Retire, vec![2]),
    ];
    assert_eq!(steps, expected);
    assert_eq!(read_again(&keys), rotated());
    assert_eq!(keys.retired, self::keys().active);
    keys.begin_rotation(Secret::new("three"));
    assert_eq!(numbers(&keys), [2, 3]);
}

#[test]
fn what_was_never_rotated_is_kept_as_earlier_versions_read_it() {
    assert_eq!(serde_json::to_string(&keys()).unwrap(), r#""one""#);
    assert_eq!(read_again(&keys()), keys());
    let none = r#"{"active": [], "retired": [], "is_rotating": false}"#;
    assert!(serde_json::from_str::<RotatingKeys<Secret>>(none).is_err());
}

#[test]
fn a_key_that_a_control_plane_has_is_not_dropped() {
    let found = |numbers: &[u32]| {
        let mut keys = rotated();
        keys.keep_found(&[numbers.to_owned()]);
        (keys.next_step(), self::numbers(&keys))
    };
    assert_eq!(found(&[2]), (None, vec![2]));
    assert_eq!(found(&[]), (None, vec![2]));
    assert_eq!(found(&[1]), (Some(RotationStep::Add), vec![1, 2]));
    assert_eq!(found(&[2, 1]), (Some(RotationStep::Switch), vec![2, 1]));

    // The rotation has come to where the new key is used, and the machines are back at where it began.
    let mut switching = self::keys();
    switching.begin_rotation(Secret::new("two"));
    switching.advance();
    switching.keep_found(&[Vec::new(), vec![1]]);
    assert_eq!(numbers(&switching), [1, 2]);
    assert_eq!(switching.next_step(), Some(RotationStep::Add));

    let mut ending = rotated();
    ending.is_rotating = true;
    ending.keep_found(&[vec![2, 1]]);
    assert_eq!(numbers(&ending), [2], "all was made anew");
}

/// One of three is back at before the rotation: two can't accept its key, and it gets theirs.
#[test]
fn of_control_planes_that_differ_most_count_in_any_order() {
    for found in [
        [vec![2], vec![2], vec![1]],
        [vec![2], vec![1], vec![2]],
        [vec![1], vec![2], vec![2]],
    ] {
        let mut keys = rotated();
        keys.keep_found(&found);
        assert_eq!(numbers(&keys), [2, 1], "{found:?}");
    }
    // What all accept is used, whoever uses what.
    for found in [
        [vec![2, 1], vec![2, 1], vec![1]],
        [vec![1], vec![2, 1], vec![2, 1]],
    ] {
        let mut keys = rotated();
        keys.keep_found(&found);
        assert_eq!(numbers(&keys), [1, 2], "{found:?}");
    }
}

/// The file of secrets is from before the new key was used, and the old one is gone from the control planes.
#[test]
fn what_all_control_planes_have_given_up_is_not_used_again() {
    let mut keys = keys();
    keys.begin_rotation(Secret::new("two"));
    keys.keep_found(&[vec![2], vec![2]]);
    assert_eq!(numbers(&keys), [2, 1]);
    assert_eq!(keys.next_step(), Some(RotationStep::Switch));
}

#[test]
fn the_time_of_the_switch_counts_while_all_use_the_new_key() {
    let mut keys = keys();
    keys.begin_rotation(Secret::new("two"));
    keys.advance();
    keys.note_switch(1000);
    let found = |numbers: &[u32]| {
        let mut keys = read_again(&keys);
        keys.keep_found(&[vec![2, 1], numbers.to_owned()]);
        (keys.next_step(), keys.switched_at())
    };
    let switch = Some(RotationStep::Switch);
    assert_eq!(found(&[2, 1]), (switch, Some(1000)));
    assert_eq!(found(&[]), (switch, Some(1000)));
    assert_eq!(found(&[1, 2]), (switch, None));
    assert_eq!(found(&[1]), (Some(RotationStep::Add), None));
}

#[test]
fn data_of_a_backup_is_read_with_the_key_of_its_time() {
    let mut keys = rotated();
    assert!(keys.have_all_of(&self::keys()));
    assert!(!self::keys().have_all_of(&keys));
    assert!(!keys.have_all_of(&RotatingKeys::of(Secret::new("another"))));
    keys.keep_those_of(&self::keys());
    assert_eq!(numbers(&keys), [2, 1]);
    assert_eq!(keys.next_step(), Some(RotationStep::Switch));
}
