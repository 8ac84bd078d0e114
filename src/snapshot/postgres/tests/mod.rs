//! The engine against a real server: every trap that loses data without a word.

mod saving;
