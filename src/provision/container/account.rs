//! The login user of a machine, added to the image's account files as text.

/// The three account files of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accounts {
    pub(super) passwd: String,
    pub(super) group: String,
    pub(super) shadow: String,
}

/// User and group number of the login user.
pub(super) const USER_ID: u32 = 1000;

impl Accounts {
    /// Adds a user without a password; returns whether the image lacked it.
    pub(super) fn add(&mut self, user: &str) -> bool {
        if self
            .passwd
            .lines()
            .any(|line| line.split(':').next() == Some(user))
        {
            return false;
        }
        let id = USER_ID.to_string();
        self.passwd
            .extend([user, ":x:", &id, ":", &id, "::/home/", user, ":/bin/bash\n"]);
        self.group.extend([user, ":x:", &id, ":\n"]);
        self.shadow.extend([user, ":*:20000:0:99999:7:::\n"]);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Accounts;

    #[test]
    fn a_user_is_added_once_and_cannot_log_in_by_password() {
        let mut accounts = Accounts {
            passwd: "root:x:0:0:root:/root:/bin/bash\n".into(),
            group: "root:x:0:\n".into(),
            shadow: "root:*:20000:0:99999:7:::\n".into(),
        };
        assert!(!accounts.add("root"));
        assert!(accounts.add("kinstall"));
        assert!(!accounts.add("kinstall"));
        insta::assert_snapshot!(accounts.passwd + &accounts.group + &accounts.shadow, @r"
        root:x:0:0:root:/root:/bin/bash
        kinstall:x:1000:1000::/home/kinstall:/bin/bash
        root:x:0:
        kinstall:x:1000:
        root:*:20000:0:99999:7:::
        kinstall:*:20000:0:99999:7:::
        ");
    }
}
