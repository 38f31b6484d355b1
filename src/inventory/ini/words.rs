//! Splits a host line into words, as Python's shlex does for Ansible.
//!
//! Quotes join, a backslash takes the next character as it is, and `#` starts a comment even inside
//! a word.

use std::ops::Range;

/// A word with quotes resolved.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::inventory) struct Word {
    pub text: String,
    /// Byte range of the word in the line, with its quotes.
    pub span: Range<usize>,
}

/// The words of a line.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::inventory) struct Words {
    pub words: Vec<Word>,
    /// Where a comment cuts a word short; hardly ever what the user wants.
    pub cut_at: Option<usize>,
}

/// A quote that isn't closed, by its position.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::inventory) struct OpenQuote(pub usize);

pub(in crate::inventory) fn split(line: &str) -> Result<Words, OpenQuote> {
    let mut words = Vec::new();
    let mut current: Option<Word> = None;
    let mut cut_at = None;
    let mut characters = line.char_indices();
    while let Some((offset, character)) = characters.next() {
        if character.is_whitespace() {
            words.extend(current.take());
            continue;
        }
        if character == '#' {
            cut_at = current.is_some().then_some(offset);
            break;
        }
        let word = current.get_or_insert_with(|| Word {
            text: String::new(),
            span: offset..offset,
        });
        match character {
            '\'' | '"' => {
                quoted(&mut characters, character, &mut word.text).ok_or(OpenQuote(offset))?;
            }
            '\\' => word.text.extend(characters.next().map(|(_, next)| next)),
            _ => word.text.push(character),
        }
        word.span.end = characters.offset();
    }
    words.extend(current);
    Ok(Words { words, cut_at })
}

/// Reads up to the closing quote; inside `"`, a backslash escapes `"` and itself.
fn quoted(
    characters: &mut std::str::CharIndices<'_>,
    quote: char,
    text: &mut String,
) -> Option<()> {
    while let Some((_, character)) = characters.next() {
        match character {
            _ if character == quote => return Some(()),
            '\\' if quote == '"' => match characters.next()?.1 {
                escaped @ ('"' | '\\') => text.push(escaped),
                other => text.extend(['\\', other]),
            },
            _ => text.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        let words = split(line).unwrap().words;
        words.into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_split_as_by_shlex() {
        assert_eq!(texts("a  b=1\tc='x y' # end"), ["a", "b=1", "c=x y"]);
        assert_eq!(texts(r#"a="q \" \\ \n" b=\ c"#), ["a=q \" \\ \\n", "b= c"]);
        assert_eq!(texts(r#"a='-o X="y z"'"#), [r#"a=-o X="y z""#]);
        assert_eq!(texts("a=''"), ["a="]);
    }

    #[test]
    fn spans_hold_the_quotes() {
        let line = "n k='ä b' z";
        let words = split(line).unwrap().words;
        assert_eq!(&line[words[1].span.clone()], "k='ä b'");
    }

    #[test]
    fn a_comment_inside_a_word_is_noticed() {
        let words = split("n password=ab#cd").unwrap();
        assert_eq!(words.words[1].text, "password=ab");
        assert_eq!(words.cut_at, Some(13));
        assert_eq!(split("n # x").unwrap().cut_at, None);
    }

    #[test]
    fn an_open_quote_is_refused() {
        assert_eq!(split("n k='x"), Err(OpenQuote(4)));
    }
}
