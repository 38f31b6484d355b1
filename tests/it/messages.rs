//! The whole text of the messages for bad input.
