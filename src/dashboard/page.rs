//! The page itself, which is part of the program.

/// Its structure.
pub const HTML: &str = include_str!("page/index.html");
/// How it looks.
pub const STYLE: &str = include_str!("page/style.css");
/// What draws the views.
pub const VIEWS: &str = include_str!("page/views.js");
/// What asks for them.
pub const SCRIPT: &str = include_str!("page/script.js");
