//! Expressions and their values.

use std::path::PathBuf;
use std::sync::Arc;

use super::Evaluator;
use super::scope::{Frame, Scope};
use crate::diagnostic::SourceFile;
use crate::vagrant::{Environment, ruby};

/// Returns the value of the last expression, and what there is to fill in.
fn value(text: &str) -> (String, usize) {
    let file = Arc::new(SourceFile {
        path: PathBuf::from("Vagrantfile"),
        text: text.to_owned(),
    });
    let mut evaluator = Evaluator::new(Arc::clone(&file), &Environment::default());
    let (nodes, problems) = ruby::parse(&file.text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    let scope = Scope::of(Frame::default());
    let value = match evaluator.sequence(&nodes, &scope) {
        Ok(value) => match value.why() {
            Some(why) => format!("unknown: {}", why.reason),
            None => value
                .to_text()
                .map_or_else(|| "object".to_owned(), |it| it.to_string()),
        },
        Err(_) => "stopped".to_owned(),
    };
    (value, evaluator.notes.to_fill_in.len())
}

/// Expressions, and what Ruby 3.1 makes of them: `p` of the last value's `to_s`, without its quotes.
const VALUES: &str = include_str!("values.txt");

#[test]
fn values_are_rubys() {
    let mut wrong = Vec::new();
    for line in VALUES.lines() {
        let (text, expected) = line.split_once("   ==> ").unwrap();
        let text = if text.starts_with("<<") {
            text.replace("\\n", "\n")
        } else {
            text.to_owned()
        };
        let found = value(&text);
        if found != (expected.replace("\\#", "#"), 0) {
            wrong.push(format!("{text}: {found:?}, not {expected}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_environment_is_taken_as_not_set() {
    for (text, expected) in [
        ("ENV['X'] || 'd'", "d"),
        ("ENV.fetch('X', 3)", "3"),
        ("ENV.fetch('X') { 4 }", "4"),
        ("ENV['X'].to_i + 1", "1"),
        ("ENV['X'] == 'yes'", "false"),
        ("ENV.key?('X')", "false"),
        ("ENV['X'] = 'set'\nENV['X'] + ENV.fetch('X', 'd')", "setset"),
        ("begin\n ENV.fetch('X')\nrescue KeyError\n 'd'\nend", "d"),
        ("ARGV[0]", "up"),
        (
            "File.join(File.dirname(__FILE__), 'a', 'b.yml')",
            "./a/b.yml",
        ),
        (
            "begin\n require 'yaml'\n File.read('none')\nrescue Errno::ENOENT\n 2\nend",
            "2",
        ),
        (
            "begin\n require_relative 'none'\nrescue LoadError\n 3\nend",
            "3",
        ),
    ] {
        assert_eq!(value(text), (expected.to_owned(), 0), "{text}");
    }
}

/// Every method of Ruby that changes an array, hash or text; none may be passed over.
#[test]
fn no_change_goes_unnoticed() {
    for (start, methods) in [
        ("[2, 1, 2]", LIST_CHANGES),
        ("{ a: 1, b: 2 }", MAP_CHANGES),
        ("+'abc'", TEXT_CHANGES),
    ] {
        for method in methods {
            let text = format!("x = {start}\nbefore = x.inspect\nx.{method}\nx.inspect == before");
            let (found, _) = value(&text);
            assert_ne!(found, "true", "{text}");
        }
    }
}

const LIST_CHANGES: &[&str] = &[
    "<< 3",
    "append(3)",
    "clear",
    "collect! { |i| i + 1 }",
    "compact!.to_s && x.push(1)",
    "concat([3])",
    "delete(2)",
    "delete_at(0)",
    "delete_if { |i| i == 2 }",
    "fill(7)",
    "fill { |i| i * i }",
    "filter! { |i| i == 2 }",
    "flatten!.to_s && x.push(1)",
    "insert(1, 9)",
    "keep_if { |i| i == 2 }",
    "map! { |i| i + 1 }",
    "pop",
    "prepend(3)",
    "push(3)",
    "reject! { |i| i == 2 }",
    "replace([3])",
    "reverse!.rotate!",
    "rotate!",
    "select! { |i| i == 2 }",
    "shift",
    "shuffle!",
    "slice!(0)",
    "slice!(0, 2)",
    "slice!(0..1)",
    "sort!",
    "sort_by! { |i| i }",
    "uniq!",
    "unshift(3)",
    "[]=(0, 9)",
    "frobnicate",
    "frobnicate!",
    "send(:pop)",
    "public_send(:push, 3)",
];

const MAP_CHANGES: &[&str] = &[
    "clear",
    "delete(:a)",
    "delete_if { |k, v| v == 1 }",
    "filter! { |k, v| v == 1 }",
    "keep_if { |k, v| v == 1 }",
    "merge!({ c: 3 })",
    "merge!({ a: 1 }) { |k, a, b| a + b }",
    "reject! { |k, v| v == 1 }",
    "replace({ c: 3 })",
    "select! { |k, v| v == 1 }",
    "shift",
    "store(:c, 3)",
    "transform_keys!(&:to_s)",
    "transform_values! { |v| v + 1 }",
    "update({ c: 3 })",
    "[]=(:a, 9)",
    "deep_merge!({ c: 3 })",
    "frobnicate",
];

const TEXT_CHANGES: &[&str] = &[
    "<< 'd'",
    "capitalize!",
    "chomp!('c')",
    "chop!",
    "clear",
    "concat('d', 'e')",
    "delete!('b')",
    "delete_prefix!('a')",
    "delete_suffix!('c')",
    "gsub!('b', 'x')",
    "gsub!(/b/) { 'x' }",
    "insert(1, 'x')",
    "next!",
    "prepend('x')",
    "replace('x')",
    "reverse!",
    "setbyte(0, 66)",
    "slice!(0)",
    "sub!('b', 'x')",
    "succ!",
    "swapcase!",
    "tr!('b', 'x')",
    "tr_s!('b', 'x')",
    "upcase!",
    "[]=(0, 'x')",
    "frobnicate",
];

#[test]
fn what_is_not_known_stays_so() {
    for (text, expected) in [
        ("`nproc`.to_i / 2 + 1", "commands are not run"),
        ("\"a#{`x`}\"", "commands are not run"),
        ("[`x`, 1].max", "commands are not run"),
        ("'%s' % `x`", "commands are not run"),
        ("x = 1\nx = 2 if `y`.empty?\nx", "commands are not run"),
        (
            "x = 1\nDir.glob('*').each { |f| x += 1 }\nx",
            "`Dir.glob` is not followed",
        ),
        (
            "x = 1\nfor f in `ls`.lines do x += 1 end\nx",
            "this is nothing",
        ),
        ("\"#{ENV['HOME']}/x\"", "ENV['HOME'] is taken as not set"),
        ("nil.length", "`length` of nothing (nil)"),
        ("1 / 0", "divided by 0"),
        ("9223372036854775807 + 1", "`+` is not followed"),
        ("'a' * 99999999", "`*` is not followed"),
        ("foo(1)", "`foo` is not known"),
        ("Time.now.year", "`Time` is not known"),
        ("(1..999999999).to_a", "the range is too long"),
        ("99999999.times.to_a", "`times` is not followed"),
        ("rand(10)", "its value differs from run to run"),
    ] {
        let (found, _) = value(text);
        let is_expected = found.strip_prefix("unknown: ").is_some_and(|it| {
            it.starts_with(expected)
                || (expected == "this is nothing" && it == "commands are not run")
        });
        assert!(is_expected, "{text}: {found}");
    }
}

#[test]
fn endless_files_come_to_an_end() {
    let reading = std::thread::Builder::new().stack_size(crate::vagrant::STACK);
    let reading = reading.spawn(|| {
        for text in [
            "while true do end",
            "loop { }",
            "def f() f end\nf",
            "x = []\nloop { x << x }",
            "x = []\nx << x << x << x\ny = [x]\nloop { x == y }",
            "x = 'a'\nloop { x += x }",
            "(1..9999).each { |i| (1..9999).each { |j| i * j } }",
        ] {
            assert_eq!(value(text), ("stopped".to_owned(), 1), "{text}");
        }
    });
    reading.unwrap().join().unwrap();
}
