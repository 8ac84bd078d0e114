//! JSON in a value: `VCAP_SERVICES`, `SPRING_APPLICATION_JSON`, a list of databases.
//!
//! It is taken apart into settings with dotted names, and these are read like any others.

use serde_json::Value;

use crate::environment::Setting;

/// The longest JSON text that is looked into, in bytes. Longer ones are no configuration.
const LONGEST: usize = 1024 * 1024;
/// How many leaves are looked at; a list of databases is shorter.
const MOST_LEAVES: usize = 10_000;
/// How long a path of keys may become.
const LONGEST_NAME: usize = 200;

/// Lists the leaves of the JSON object or list in the setting's value, as settings; empty where it holds none.
pub(crate) fn settings_inside(setting: &Setting) -> Vec<Setting> {
    let text = setting.value.trim_start();
    if !text.starts_with(['{', '[']) || text.len() > LONGEST || setting.unresolved.is_some() {
        return Vec::new();
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let mut found = Vec::new();
    walk(&value, &setting.name, setting, &mut found);
    found
}

fn walk(value: &Value, name: &str, setting: &Setting, found: &mut Vec<Setting>) {
    if found.len() >= MOST_LEAVES || name.len() > LONGEST_NAME {
        return;
    }
    let leaf = |text: String| Setting::known(name, text, setting.origin.clone());
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::String(text) => found.push(leaf(text.clone())),
        Value::Number(number) => found.push(leaf(number.to_string())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{name}.{index}"), setting, found);
            }
        }
        Value::Object(all) => {
            for (key, item) in all {
                walk(item, &format!("{name}.{key}"), setting, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;

    fn inside(value: &str) -> Vec<(String, String)> {
        let setting = Setting::known("X", value, Origin::process("X"));
        settings_inside(&setting).into_iter().map(|setting| (setting.name, setting.value)).collect()
    }

    #[test]
    fn leaves_become_settings_with_dotted_names() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            inside(r#"[{"host":"a","port":5432,"on":true},{"host":"b"}]"#),
            [pair("X.0.host", "a"), pair("X.0.port", "5432"), pair("X.1.host", "b")]
        );
        assert_eq!(inside("{broken"), []);
        assert_eq!(inside("plain"), []);
        assert_eq!(inside(&"[".repeat(100_000)), []);
    }
}
