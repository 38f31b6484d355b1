//! Guards, inputs and recovery, with real programs.

use super::*;
use crate::secret::Secret;

struct Bench {
    root: tempfile::TempDir,
    node: Node,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut node = Node::at(root.path());
        node.begin_step("component/step");
        Self { root, node }
    }

    /// A shell command whose working folder is the root.
    fn command(script: &str, guard: Guard) -> Command {
        Command::new(vec!["sh".into(), "-c".into(), script.into()], guard)
    }

    /// Converges, and returns how many programs were announced.
    fn converge(&mut self, command: &Command) -> Result<usize, ResourceError> {
        let changes = command.diff(&command.probe(&self.node)?);
        if !changes.is_empty() {
            command.apply(&changes, &mut self.node)?;
        }
        Ok(changes.len())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.root.path().join(name)).unwrap_or_default()
    }
}

#[test]
fn once_is_remembered_by_step() {
    let mut bench = Bench::new();
    let command = Bench::command("echo ran >> log", Guard::Once);
    assert_eq!(bench.converge(&command).unwrap(), 1);
    assert_eq!(bench.converge(&command).unwrap(), 0);
    bench.node.begin_step("component/other");
    assert_eq!(bench.converge(&command).unwrap(), 1);
    assert_eq!(bench.read("log"), "ran\nran\n");
}

#[test]
fn creates_and_unless_look_at_the_node() {
    let mut bench = Bench::new();
    let creates = Bench::command("echo x > made", Guard::Creates("/made".into()));
    assert_eq!(bench.converge(&creates).unwrap(), 1);
    assert_eq!(bench.converge(&creates).unwrap(), 0);
    let test = ["sh", "-c", "test -e other"].map(str::to_owned).to_vec();
    let unless = Bench::command("touch other", Guard::Unless(test));
    assert_eq!(bench.converge(&unless).unwrap(), 1);
    assert_eq!(bench.converge(&unless).unwrap(), 0);
    let missing = vec!["no-such-program".to_owned()];
    let unless = Bench::command("true", Guard::Unless(missing));
    assert_eq!(bench.converge(&unless).unwrap(), 1);
}

#[test]
fn a_failed_attempt_is_recovered_and_repeated_even_if_its_path_is_there() {
    let mut bench = Bench::new();
    let mut command = Bench::command(
        "touch made; test -e recovered",
        Guard::Creates("/made".into()),
    );
    command.recover = Some(["sh", "-c", "touch recovered"].map(str::to_owned).to_vec());
    assert!(matches!(
        bench.converge(&command),
        Err(ResourceError::Command { .. })
    ));
    assert!(!bench.root.path().join("recovered").exists());
    assert_eq!(bench.converge(&command).unwrap(), 2);
    assert_eq!(bench.converge(&command).unwrap(), 0);
}

#[test]
fn inputs_live_as_long_as_the_command_and_only_root_reads_them() {
    for (ending, well) in [("true", true), ("false", false)] {
        let mut bench = Bench::new();
        let script = format!("stat -c %a secret/token > seen; cat secret/token >> seen; {ending}");
        let mut command = Bench::command(&script, Guard::Once);
        command.inputs = vec![Input {
            path: "/secret/token".into(),
            content: Content::Secret(Secret::new("hunter2")),
        }];
        assert_eq!(bench.converge(&command).is_ok(), well);
        assert_eq!(bench.read("seen"), "600\nhunter2");
        assert_eq!(
            bench.root.path().join("secret").read_dir().unwrap().count(),
            0
        );
    }
}

#[test]
fn check_alone_runs_nothing() {
    let bench = Bench::new();
    let command = Bench::command("touch ran", Guard::Once);
    assert_eq!(command.diff(&command.probe(&bench.node).unwrap()).len(), 1);
    assert_eq!(bench.root.path().read_dir().unwrap().count(), 0);
}

#[test]
fn what_was_begun_and_what_is_done_is_known_by_step() {
    let mut bench = Bench::new();
    assert!(begun(&bench.node).is_empty());
    bench
        .converge(&Bench::command("true", Guard::Once))
        .unwrap();
    bench.node.begin_step("component/other");
    bench
        .converge(&Bench::command("exit 1", Guard::Once))
        .unwrap_err();
    let expected = [
        ("component/other".to_owned(), CommandState::Begun),
        ("component/step".to_owned(), CommandState::Done),
    ];
    assert_eq!(begun(&bench.node), expected.into());
}

#[test]
fn what_was_there_before_is_never_recovered_from() {
    let mut bench = Bench::new();
    let mut command = Bench::command("touch made", Guard::Once);
    command.preflight = Some(["test", "!", "-e", "others"].map(str::to_owned).to_vec());
    command.recover = Some(["rm", "-f", "others", "made"].map(str::to_owned).to_vec());
    fs::write(bench.root.path().join("others"), "data").unwrap();
    for _ in 0..2 {
        assert!(bench.converge(&command).is_err());
        assert_eq!(bench.read("others"), "data");
    }
    fs::remove_file(bench.root.path().join("others")).unwrap();
    assert_eq!(bench.converge(&command).unwrap(), 1);
    assert!(bench.root.path().join("made").exists());
}

#[test]
fn recovery_is_for_the_own_attempt_alone() {
    let mut bench = Bench::new();
    let mut command = Bench::command("touch begun; exit 1", Guard::Once);
    command.preflight = Some(["test", "!", "-e", "others"].map(str::to_owned).to_vec());
    command.recover = Some(["rm", "-f", "begun", "others"].map(str::to_owned).to_vec());
    assert!(bench.converge(&command).is_err());
    assert!(bench.root.path().join("begun").exists());
    // The recovery ends what the attempt began; from then on, what comes is somebody else's.
    let recover = command.recover.clone().unwrap();
    command.recover = Some(
        ["sh", "-c", "rm begun; echo data > others"]
            .map(str::to_owned)
            .to_vec(),
    );
    assert!(bench.converge(&command).is_err());
    command.recover = Some(recover);
    assert!(bench.converge(&command).is_err());
    assert_eq!(bench.read("others"), "data\n");
}

#[test]
fn what_was_undone_is_done_again() {
    let mut bench = Bench::new();
    let mut command = Bench::command("echo ran >> log; touch one two", Guard::Once);
    command.leaves = ["/one", "/two"].map(str::to_owned).to_vec();
    command.recover = Some(["touch", "recovered"].map(str::to_owned).to_vec());
    assert_eq!(bench.converge(&command).unwrap(), 1);
    assert_eq!(bench.converge(&command).unwrap(), 0);
    // As long as anything is left, nothing is undone for it.
    fs::remove_file(bench.root.path().join("one")).unwrap();
    assert_eq!(bench.converge(&command).unwrap(), 0);
    fs::remove_file(bench.root.path().join("two")).unwrap();
    assert_eq!(bench.converge(&command).unwrap(), 2);
    assert!(bench.root.path().join("recovered").exists());
    assert_eq!(bench.converge(&command).unwrap(), 0);
    assert_eq!(bench.read("log"), "ran\nran\n");
}
