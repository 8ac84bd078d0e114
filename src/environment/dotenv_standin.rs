//! Stands in for the dotenv readers until they are merged: one simple reading for every dialect.

/// Which loader's rules to read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    DotenvyLoad,
    DotenvyIter,
    Node,
    NodeExpand12,
    NodeExpand1000,
    NodeParseEnv20,
    NodeParseEnv24,
    Vite,
    Phpdotenv,
    Symfony,
    Ruby,
    PythonDotenvLoad,
    PythonDotenvValues,
    DjangoEnviron,
    Godotenv15,
    Godotenv16,
    Compose,
    Shell,
    Lenient,
}

pub struct Entry {
    pub name: String,
    pub value: Option<String>,
    pub line: u32,
    pub unresolved: Option<super::Unresolved>,
    pub salvaged: bool,
    pub shadowed: bool,
}

pub struct Problem {
    pub line: u32,
    pub message: String,
}

pub struct Document {
    pub entries: Vec<Entry>,
    pub problems: Vec<Problem>,
}

pub fn read(dialect: Dialect, text: &[u8], lookup: &dyn Fn(&str) -> Option<String>) -> Document {
    let mut document = Document { entries: Vec::new(), problems: Vec::new() };
    let text = String::from_utf8_lossy(text);
    for (index, line) in text.lines().enumerate() {
        let number = u32::try_from(index).unwrap_or(u32::MAX - 1) + 1;
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            document.problems.push(Problem { line: number, message: "no `=`".to_owned() });
            continue;
        };
        let mut value = value.trim().to_owned();
        if value.len() > 1 && (value.starts_with('"') && value.ends_with('"')) {
            value = value[1..value.len() - 1].to_owned();
        }
        let expands = !matches!(dialect, Dialect::Node | Dialect::NodeParseEnv20 | Dialect::NodeParseEnv24);
        if expands && let Some((before, rest)) = value.split_once("${") {
            if let Some((key, after)) = rest.split_once('}') {
                let (key, default) = key.split_once(":-").unwrap_or((key, ""));
                let own = document.entries.iter().rev().find(|entry| entry.name == key).and_then(|e| e.value.clone());
                let found = lookup(key).or(own).unwrap_or_else(|| default.to_owned());
                value = format!("{before}{found}{after}");
            }
        }
        document.entries.push(Entry {
            name: name.trim().to_owned(),
            value: Some(value),
            line: number,
            unresolved: None,
            salvaged: false,
            shadowed: false,
        });
    }
    document
}
