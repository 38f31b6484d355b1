//! Expressions and their values.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use super::Evaluator;
use super::scope::Scope;
use crate::diagnostic::SourceFile;
use crate::vagrant::ruby;

/// Returns the value of the last expression, and what there is to fill in.
fn value(text: &str) -> (String, usize) {
    let file = Arc::new(SourceFile {
        path: PathBuf::from("Vagrantfile"),
        text: text.to_owned(),
    });
    let mut evaluator = Evaluator::new(Arc::clone(&file));
    let (nodes, problems) = ruby::parse(&file.text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    let scope = Rc::new(Scope::default());
    let value = match evaluator.sequence(&nodes, &scope) {
        Ok(value) => match value.why() {
            Some(why) => format!("unknown: {}", why.reason),
            None => value.to_text().unwrap_or_else(|| "object".to_owned()),
        },
        Err(_) => "stopped".to_owned(),
    };
    (value, evaluator.notes.to_fill_in.len())
}

#[test]
fn values_are_rubys() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        ("7 / 2", "3"),
        ("-7 / 2", "-4"),
        ("-7 % 3", "2"),
        ("2 ** 10", "1024"),
        ("1024 * 1.5", "1536.0"),
        ("(2.5 * 1024).to_i", "2560"),
        ("1_000 + 0x10", "1016"),
        ("\"a#{1 + 1}b\"", "a2b"),
        ("'a#{1}'", "a#{1}"),
        ("x = 'a'\nx += 'b'\nx << 'c'\nx", "abc"),
        ("x = [1]\ny = x\ny << 2\nx.length", "2"),
        ("x = nil\nx ||= 3\nx ||= 4\nx", "3"),
        ("a, b = b, 2\nb", "2"),
        ("a, *b = [1, 2, 3]\nb.inspect", "[2, 3]"),
        ("{a: 1, 'b' => 2}['b']", "2"),
        ("{a: 1}['a'].inspect", "nil"),
        ("{a: {b: 3}}.dig(:a, :b)", "3"),
        (
            "{a: 1}.merge(b: 2).map { |k, v| \"#{k}#{v}\" }.join('-')",
            "a1-b2",
        ),
        ("(1..4).select(&:even?).inspect", "[2, 4]"),
        ("(1...4).to_a.last", "3"),
        ("[3, 1, 2].sort.reverse.first(2).inspect", "[3, 2]"),
        (
            "%w[a b].each_with_index.map { |n, i| n + i.to_s }.join(' ')",
            "a0 b1",
        ),
        ("x = 0\n3.times { |i| x += i }\nx", "3"),
        (
            "x = 0\n[1, 2, 3].each { |i| next if i == 2\n x += i }\nx",
            "4",
        ),
        ("[1, 2, 3].each { |i| break i * 10 if i == 2 }", "20"),
        ("i = 9\n[1].each { |i| i }\ni", "9"),
        ("for i in 1..3 do end\ni", "3"),
        ("x = 5\nx > 3 ? 'big' : 'small'", "big"),
        (
            "case 'k8s-m1' when /m\\d/ then 'master' else 'node' end",
            "master",
        ),
        ("case 5 when 1..3 then 'a' when Integer then 'b' end", "b"),
        ("unless false then 1 else 2 end", "1"),
        ("def f(a, b = 2, c: 3) a + b + c end\nf(1, c: 10)", "13"),
        ("def f(n) return 1 if n < 2\n n * f(n - 1) end\nf(5)", "120"),
        ("f = ->(x) { x + 1 }\nf.call(2) + f.(3)", "7"),
        ("'192.168.56.11'.split('.')[0..2].join('.')", "192.168.56"),
        (
            "'10.0.0.10'.match(/^([0-9.]+\\.)([^.]+)$/).captures[1]",
            "10",
        ),
        ("'a-b'.gsub('-', '_').upcase", "A_B"),
        ("'node9'.succ", "node10"),
        ("'%s-%02d' % ['n', 3]", "n-03"),
        ("format('%<a>03d', a: 7)", "007"),
        ("ENV['X'] || 'd'", "d"),
        ("ENV.fetch('X', 3)", "3"),
        ("ENV['X'].to_i + 1", "1"),
        ("ENV['X'] == 'yes'", "false"),
        ("ENV['X'] = 'set'\nENV['X']", "set"),
        ("defined?(y) ? 1 : 2", "2"),
        ("$a ||= 1\n$a", "1"),
        (
            "File.join(File.dirname(__FILE__), 'a', 'b.yml')",
            "./a/b.yml",
        ),
        ("begin\n 1\nrescue => e\n 2\nend", "1"),
        ("x = if true then 1 end\nx", "1"),
        ("[1, [2, [3]]].flatten.sum", "6"),
        ("('a'..'c').to_a.join", "abc"),
        ("nil.to_s + 'x'", "x"),
        ("x = 3\nuntil x == 0\n x -= 1\nend\nx", "0"),
    ] {
        let found = value(text);
        if found != (expected.to_owned(), 0) {
            wrong.push(format!("{text}: {found:?}, not {expected}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

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
        ("1 / 0", "`/` is not followed"),
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
