//! What is a value, an argument or an operator depends on what stands around it.

use super::parse;
use super::syntax::{Kind, Node};

/// Shows a tree as calls, all of them with parentheses.
fn show(node: &Node) -> String {
    let all = |nodes: &[Node]| nodes.iter().map(show).collect::<Vec<_>>().join(", ");
    match &node.kind {
        Kind::Integer(number) => number.to_string(),
        Kind::Text(_) | Kind::Symbol(_) => match node.plain_text() {
            Some(text) => format!("{text:?}"),
            None => "\"…\"".to_owned(),
        },
        Kind::Regex(_) => "regex".to_owned(),
        Kind::Command => "command".to_owned(),
        Kind::List(items) => format!("[{}]", all(items)),
        Kind::Map(pairs) => {
            let pair = |(key, value): &(Option<Node>, Node)| {
                let key = key.as_ref().map_or("**".to_owned(), show);
                format!("{key} => {}", show(value))
            };
            format!(
                "{{{}}}",
                pairs.iter().map(pair).collect::<Vec<_>>().join(", ")
            )
        }
        Kind::Name(name) | Kind::Constant(name) | Kind::Variable(name) => name.clone(),
        Kind::Call(call) => {
            let receiver = call
                .receiver
                .as_ref()
                .map_or(String::new(), |it| show(it) + ".");
            let block = call.block.as_ref().map_or(String::new(), |block| {
                format!(" {{ {} }}", all(&block.body))
            });
            format!("{receiver}{}({}){block}", call.name, all(&call.arguments))
        }
        Kind::Assign { target, value, .. } => format!("{} = {}", show(target), show(value)),
        Kind::If {
            condition,
            then,
            otherwise,
        } => format!("if({}; {}; {})", show(condition), all(then), all(otherwise)),
        Kind::Sequence(nodes) => format!("({})", all(nodes)),
        Kind::Or(left, right) => format!("or({}, {})", show(left), show(right)),
        Kind::Range { first, last, .. } => format!("{}..{}", show(first), show(last)),
        other => format!("{other:?}"),
    }
}

#[test]
fn signs_mean_what_ruby_means_by_them() {
    for (text, expected) in [
        ("a -1", "a(-1)"),
        ("a = 2; a -1", "a = 2; a.-(1)"),
        ("a - 1", "a.-(1)"),
        ("a [1]", "a([1])"),
        ("a[1]", "a.[](1)"),
        ("i %2", "i.%(2)"),
        ("'%02d' % i", "\"%02d\".%(i)"),
        ("x = %w[a b]", "x = [\"a\", \"b\"]"),
        ("a / b / c", "a./(b)./(c)"),
        ("a =~ /b c/i", "a.=~(regex)"),
        ("a ? 'b' : :c", "if(a; \"b\"; \"c\")"),
        ("a.b? ? 1 : 2", "if(a.b?(); 1; 2)"),
        ("a ? b : c", "if(a; b; c)"),
        ("a << b", "a.<<(b)"),
        ("x = <<~A\n  b\nA\ny", "x = \"b\\n\"; y"),
        ("f <<-A, 1\n b\n A\ny", "f(\" b\\n\", 1); y"),
        ("f a: 1, :b => 2", "f({\"a\" => 1, \"b\" => 2})"),
        ("f 'a': 1", "f({\"a\" => 1})"),
        (
            "f(*a, **b)",
            "f(Splat(Node { kind: Name(\"a\"), span: 3..4 }), {** => b})",
        ),
        ("f x do y end", "f(x) { y }"),
        ("f x { y }", "f(x() { y })"),
        ("f n = 'a' % [1] do y end", "f(n = \"a\".%([1])) { y }"),
        ("a\n  # no\n  .b(1)", "a.b(1)"),
        ("a ||\n b", "or(a, b)"),
        ("a if b", "if(b; a; )"),
        ("1 + 2 * 3", "1.+(2.*(3))"),
        ("-2 ** 2", "2.**(2).-@()"),
        ("(1..n).each { }", "(1..n).each() {  }"),
        ("a \\\n b", "a(b)"),
        ("`x`.to_i", "command.to_i()"),
        ("A::B.c", "A::B.c()"),
        ("Integer 'x'", "Integer(\"x\")"),
        ("a['b']['c'] || 1", "or(a.[](\"b\").[](\"c\"), 1)"),
    ] {
        let (nodes, problems) = parse(text);
        assert!(problems.is_empty(), "{text}: {problems:?}");
        let found: Vec<String> = nodes.iter().map(show).collect();
        assert_eq!(found.join("; "), expected, "{text}");
    }
}

#[test]
fn one_broken_statement_costs_no_other() {
    for (text, expected) in [
        ("a = = 1\nb = 2", "b = 2"),
        ("f do\n x = )\n y = 1\nend\nz", "f() { y = 1 }; z"),
        ("foo(1,\nb = 2", ""),
        ("x = 1\n]\ny = 2", "x = 1; y = 2"),
        ("def\nend\nb = 2", "b = 2"),
    ] {
        let (nodes, problems) = parse(text);
        assert!(!problems.is_empty(), "{text}");
        let found: Vec<String> = nodes.iter().map(show).collect();
        assert_eq!(found.join("; "), expected, "{text}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    let reading = std::thread::Builder::new().stack_size(crate::vagrant::STACK);
    let reading = reading.spawn(|| {
        for open in [
            "(",
            "[",
            "{a: ",
            "f do\n",
            "!",
            "-",
            "not ",
            "a ? ",
            "if a\n",
            "f(f ",
            "x = ",
            "1 + (",
            "if a then b else ",
            "->{",
            "f x, ",
            "case a\nwhen 1\n",
            "*",
            "1**",
        ] {
            let (_, problems) = parse(&open.repeat(5000));
            assert!(!problems.is_empty(), "{open}");
        }
        // A long chain is not deep in the text, but in the tree.
        for part in [".a", "[0]", " + a", " || a", " and a", " if a", "::A"] {
            drop(parse(&format!("a{}", part.repeat(100_000))));
        }
    });
    reading.unwrap().join().unwrap();
}
