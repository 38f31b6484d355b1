//! The page itself, which is part of the program.

/// Where the key is to stand.
const NO_KEY: &str = r#"<meta name="key" content="">"#;

/// How it looks.
pub const STYLE: &str = include_str!("page/style.css");
/// What draws the views.
pub const VIEWS: &str = include_str!("page/views.js");
/// What asks for them.
pub const SCRIPT: &str = include_str!("page/script.js");

/// Its structure, with the key that its views are asked for with; the key is empty where the browser has it already.
pub fn html(key: &str) -> String {
    let given = NO_KEY.replace("\"\"", &format!("\"{key}\""));
    include_str!("page/index.html").replace(NO_KEY, &given)
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn the_key_stands_in_the_page_of_whoever_got_in() {
        let with_key = html("0123");
        assert!(with_key.contains(r#"<meta name="key" content="0123">"#));
        assert_eq!(with_key.replace("0123", ""), html(""));
    }
}
