//! The parser is Ruby's; what is tried here is that its tree becomes ours, errors and depth included.

use super::parse;
use super::syntax::{Kind, Node, Piece};

/// Shows a tree as calls, all of them with parentheses.
fn show(node: &Node) -> String {
    let all = |nodes: &[Node]| nodes.iter().map(show).collect::<Vec<_>>().join(", ");
    match &node.kind {
        Kind::Integer(number) => number.to_string(),
        Kind::Text(pieces) | Kind::Symbol(pieces) => match &pieces[..] {
            [Piece::Text(text)] => format!("{text:?}"),
            _ => "\"…\"".to_owned(),
        },
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
        Kind::Group(group) => format!("group {group}"),
        Kind::Splat(inner) => format!("*{}", show(inner)),
        Kind::Not(inner) => format!("not({})", show(inner)),
        Kind::Call(call)
            if call.receiver.is_none() && call.arguments.is_empty() && call.block.is_none() =>
        {
            call.name.clone()
        }
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
        Kind::Assign {
            target,
            operator,
            value,
        } => {
            let sign = operator.as_deref().unwrap_or_default();
            format!("{} {sign}= {}", show(target), show(value))
        }
        Kind::AssignAll { targets, value } => format!("{} = {}", all(targets), show(value)),
        Kind::If {
            condition,
            then,
            otherwise,
        } => format!("if({}; {}; {})", show(condition), all(then), all(otherwise)),
        Kind::Begin {
            body,
            rescues,
            otherwise,
            ensure,
        } => {
            let rescues: Vec<String> = rescues
                .iter()
                .map(|it| format!("{}: {}", all(&it.classes), all(&it.body)))
                .collect();
            let rescues = rescues.join(", ");
            format!(
                "begin({}; {rescues}; {}; {})",
                all(body),
                all(otherwise),
                all(ensure)
            )
        }
        Kind::Define(function) => {
            let owner = function.owner.as_deref().unwrap_or("-");
            format!(
                "def {owner} {} {}",
                function.name,
                all(&function.block.body)
            )
        }
        Kind::Module { name, body } => format!("module {name} {}", all(body)),
        Kind::Yield(arguments) => format!("yield({})", all(arguments)),
        Kind::Sequence(nodes) => format!("({})", all(nodes)),
        Kind::Or(left, right) => format!("or({}, {})", show(left), show(right)),
        Kind::Range { first, last, .. } => format!("{}..{}", show(first), show(last)),
        Kind::Return(Some(value)) => format!("return {}", show(value)),
        Kind::For {
            targets,
            values,
            body,
        } => format!("for({}; {}; {})", all(targets), show(values), all(body)),
        other => format!("{other:?}"),
    }
}

#[test]
fn rubys_tree_becomes_ours() {
    for (text, expected) in [
        ("a -1", "a(-1)"),
        ("a = 2; a -1", "a = 2; a.-(1)"),
        ("x = %w[a b]", "x = [\"a\", \"b\"]"),
        ("010 + 0xff_ffff_ffff", "8.+(1099511627775)"),
        ("\"\\x31\\u0031\"", "\"11\""),
        ("a ? 'b' : :c", "if(a; \"b\"; \"c\")"),
        ("x = <<~A\n  b\nA\ny", "x = \"b\\n\"; y"),
        ("f a: 1, :b => 2", "f({\"a\" => 1, \"b\" => 2})"),
        ("f(*a, **b)", "f(*a, {** => b})"),
        ("f x do y end", "f(x) { y }"),
        ("f x { y }", "f(x() { y })"),
        ("a.b = 1", "a.b() = 1"),
        ("a['b'] = 1", "a.[](\"b\") = 1"),
        ("a.b ||= 1", "a.b() ||= 1"),
        ("a['b'] += 1", "a.[](\"b\") += 1"),
        ("$a &&= 1; @b = 2; C = 3", "$a &&= 1; @b = 2; C = 3"),
        ("a, (b, *c), d.e = f", "a, [b, *c], d.e() = f"),
        ("!a", "not(a)"),
        ("unless a then b else c end", "if(a; c; b)"),
        (
            "if a then b elsif c then d else e end",
            "if(a; b; if(c; d; e))",
        ),
        ("for a, b in c do d end", "for(a, b; c; d)"),
        (
            "begin\n a\nrescue B, C => d\n e\nelse\n f\nensure\n g\nend",
            "begin(a; B, C: e; f; g)",
        ),
        ("a rescue b", "begin(a; : b; ; )"),
        ("def f(a) return a, 1 end", "def - f return [a, 1]"),
        ("def self.f = 1", "def self f 1"),
        (
            "module A; def A.b?() yield 1 end end",
            "module A def A b? yield(1)",
        ),
        ("class A::B < StandardError; end", "module A::B "),
        ("f(a:)", "f({\"a\" => a})"),
        ("$1 + $&", "group 1.+(group 0)"),
        ("A::B.c", "A::B.c()"),
        ("__LINE__", "1"),
    ] {
        let (nodes, problems) = parse(text);
        assert!(problems.is_empty(), "{text}: {problems:?}");
        let found: Vec<String> = nodes.iter().map(show).collect();
        assert_eq!(found.join("; "), expected, "{text}");
    }
}

#[test]
fn an_error_is_told_and_the_rest_is_read() {
    for text in [
        "a = = 1\nb = 2",
        "f do\n x = )\nend\nb = 2",
        "x = 1\n]\nb = 2",
    ] {
        let (nodes, problems) = parse(text);
        assert!(
            problems[0].message.starts_with("Ruby can't read this: "),
            "{problems:?}"
        );
        let found: Vec<String> = nodes.iter().map(show).collect();
        assert!(found.contains(&"b = 2".to_owned()), "{text}: {found:?}");
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
            drop(parse(&format!("a{}", part.repeat(20_000))));
        }
    });
    reading.unwrap().join().unwrap();
}
